import {
  closeFormer,
  end,
  openSocket,
  resume,
  sendAgain,
  sendInFlight,
  socketLost,
  socketOpened,
} from './client-sockets.js';
import { CLOSE, type ClientState, type Deadline, type Effect, type Input } from './client-state.js';
import { isSent, landed, nextFrame, putHeartbeat, write } from './outbox.js';
import { CONNACK, PINGRESP } from './packets.js';
import { parseServerFrame, type Refusal, type ServerFrame } from './server-frame.js';
import { addWorkerFrame, hasGap, takeReady, type WorkerFrame } from './worker-order.js';

/** Opens the first socket. */
export function start(state: ClientState, nowMs: number): Effect[] {
  return openSocket(state, nowMs);
}

/** Changes the state and says what is to be done, in that order. Time is the caller's, in milliseconds. */
export function step(state: ClientState, input: Input, nowMs: number): Effect[] {
  if (state.phase === 'closed') return [];
  const effects = onInput(state, input, nowMs);
  return [...effects, ...pump(state, nowMs)];
}

/** Bytes that the user has written and the server has not answered. */
export function bufferedBytes({ outbox }: ClientState): number {
  return outbox.bytes;
}

function onInput(state: ClientState, input: Input, nowMs: number): Effect[] {
  switch (input.type) {
    case 'opened':
      return socketOpened(state, input.socket, nowMs);
    case 'received':
      return onReceived(state, input.socket, input.text, nowMs);
    case 'lost':
      return socketLost(state, input, nowMs);
    case 'written':
      return onWritten(state, input.bytes);
    case 'close-asked':
      return onCloseAsked(state, input, nowMs);
    case 'ticked':
      return onTicked(state, nowMs);
  }
}

function onWritten(state: ClientState, bytes: Uint8Array): Effect[] {
  const written = write(state.outbox, bytes);
  if (written < 0) return end(state, CLOSE.protocolError, 'no MQTT from the client');
  return Array.from({ length: written }, () => ({ type: 'deliver', bytes: Uint8Array.of(PINGRESP, 0) }));
}

function onCloseAsked(state: ClientState, { code, reason }: { code: number; reason: string }, nowMs: number): Effect[] {
  if (state.phase === 'closing') return [];
  state.asked = { code, reason };
  if (state.phase === 'opening') return end(state, CLOSE.lost, reason);
  state.phase = 'closing';
  state.deadlines.flushed = nowMs + state.timing.flushMs;
  return [];
}

function onReceived(state: ClientState, socket: number, text: string | null, nowMs: number): Effect[] {
  const isCurrent = socket === state.current;
  if (!isCurrent && socket !== state.former) return [];
  const frame = text === null ? 'head' : parseServerFrame(text);
  // The gateway's own error, of a handler that threw or of throttling, is no frame either: the next socket may fare better.
  if (typeof frame === 'string') return isCurrent ? recover(state, nowMs, `no frame of the dialect: ${frame}`) : [];
  switch (frame.type) {
    case 'answer':
    case 'last-answer':
      return onAnswer(state, frame, socket);
    case 'worker':
      return onWorkerFrame(state, frame, nowMs);
    case 'refusal':
      return isCurrent ? onRefusal(state, frame.why, nowMs) : [];
  }
}

function onAnswer(
  state: ClientState,
  frame: Extract<ServerFrame, { type: 'answer' | 'last-answer' }>,
  socket: number,
): Effect[] {
  const { order, outbox } = state;
  if (frame.number > outbox.number) return end(state, CLOSE.protocolError, 'an answer to what was not sent');
  // The same answer again, or one to a frame that is under way once more elsewhere: the next one must not overtake that.
  if (frame.number !== outbox.inFlight?.number || socket !== state.sentOn) return [];
  if (socket === state.current) confirm(state);
  land(state);
  const effects: Effect[] = frame.bytes.length === 0 ? [] : [{ type: 'deliver', bytes: frame.bytes }];
  order.isOpen ||= frame.bytes[0] === CONNACK;
  effects.push(...deliverReady(state));
  if (frame.type === 'last-answer') return [...effects, ...end(state, CLOSE.normal, '')];
  state.token = frame.token ?? state.token;
  return effects;
}

function onWorkerFrame(state: ClientState, frame: WorkerFrame, nowMs: number): Effect[] {
  const { deadlines, order, timing } = state;
  if (!addWorkerFrame(order, frame)) return end(state, CLOSE.protocolError, 'no MQTT from the worker');
  if (hasGap(order)) deadlines.ordered ??= nowMs + timing.orderMs;
  else delete deadlines.ordered;
  return deliverReady(state);
}

function onRefusal(state: ClientState, why: Refusal, nowMs: number): Effect[] {
  switch (why) {
    case 'unavailable':
      // An invocation that ran twice may say it of a frame that the other has answered.
      return state.outbox.inFlight === null ? [] : sendAgain(state, nowMs);
    case 'resume':
      state.isAged = true;
      return [];
    case 'unknown':
      return end(state, CLOSE.unknown, why);
    case 'too-large':
      return end(state, CLOSE.tooLarge, why);
    case 'malformed':
      return end(state, CLOSE.protocolError, why);
  }
}

function onTicked(state: ClientState, nowMs: number): Effect[] {
  const effects: Effect[] = [];
  for (const name of Object.keys(state.deadlines) as Deadline[]) {
    const time = state.deadlines[name];
    if (time === undefined || time > nowMs) continue;
    delete state.deadlines[name];
    effects.push(...onDeadline(state, name, nowMs));
  }
  return effects;
}

function onDeadline(state: ClientState, name: Deadline, nowMs: number): Effect[] {
  switch (name) {
    case 'opened': {
      const socket = state.opening!;
      const lost = { socket, code: CLOSE.lost, reason: 'it did not open in time' };
      return [{ type: 'close', socket, code: CLOSE.normal }, ...socketLost(state, lost, nowMs)];
    }
    case 'answered':
      return recover(state, nowMs, 'no answer in time');
    case 'heartbeat':
      if (state.current === null || state.opening !== null || state.outbox.inFlight !== null) return [];
      putHeartbeat(state.outbox);
      return sendInFlight(state, nowMs);
    case 'renewed':
      state.isAged = true;
      return [];
    case 'retry':
      return openSocket(state, nowMs);
    case 'again':
      return sendInFlight(state, nowMs);
    case 'resumed':
      return end(state, CLOSE.lost, 'the server is not there');
    case 'ordered':
      return onMissing(state, nowMs);
    case 'lingered':
      return closeFormer(state);
    case 'flushed':
      return end(state, state.asked.code, state.asked.reason);
  }
}

/**
 * Another socket may fare better. One that has answered nothing yet is kept: the server may have moved the connection there, and
 * the token of before is good for a short while only.
 */
function recover(state: ClientState, nowMs: number, reason: string): Effect[] {
  return state.isConfirmed ? resume(state, nowMs, reason) : sendAgain(state, nowMs);
}

const MISSING = 'a frame of the worker is missing';

/** The worker posts again what it was told is missing. Where that did not help, nothing will. */
function onMissing(state: ClientState, nowMs: number): Effect[] {
  const { order } = state;
  if (order.missed === order.next) return end(state, CLOSE.lost, MISSING);
  order.missed = order.next;
  return resume(state, nowMs, MISSING);
}

/** One frame at a time, and none while another socket takes over. */
function pump(state: ClientState, nowMs: number): Effect[] {
  const { outbox } = state;
  if (state.phase === 'closing' && isSent(outbox)) return end(state, state.asked.code, state.asked.reason);
  if (state.current === null || state.opening !== null || outbox.inFlight !== null) return [];
  if (state.isAged && state.phase === 'open' && state.token !== null) {
    state.isAged = false;
    return openSocket(state, nowMs);
  }
  return nextFrame(outbox) ? sendInFlight(state, nowMs) : [];
}

function deliverReady(state: ClientState): Effect[] {
  return takeReady(state.order).map((bytes): Effect => ({ type: 'deliver', bytes }));
}

function land(state: ClientState): void {
  landed(state.outbox);
  delete state.deadlines.answered;
  delete state.deadlines.again;
}

function confirm(state: ClientState): void {
  state.isConfirmed = true;
  state.attempts = 0;
  delete state.deadlines.resumed;
}
