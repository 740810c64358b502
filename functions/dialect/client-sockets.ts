import { clientFrame } from './client-frame.js';
import { CLOSE, type ClientState, draw, type Effect } from './client-state.js';
import { handshakeQuery } from './handshake.js';
import { putHeartbeat } from './outbox.js';
import { seenOf } from './worker-order.js';

/** A network that failed; API Gateway that has had enough of the socket, after its time or a silence. */
const MAY_RESUME: readonly number[] = [1006, 1001];

/** Opens another socket; with a token, to go on with the connection on it. What is `current` is kept until it is open. */
export function openSocket(state: ClientState, nowMs: number): Effect[] {
  const { deadlines, timing, token } = state;
  state.sockets += 1;
  state.opening = state.sockets;
  state.attempts += 1;
  delete deadlines.retry;
  deadlines.opened = nowMs + timing.openMs;
  return [{ type: 'open', socket: state.sockets, query: handshakeQuery(token) }];
}

export function socketOpened(state: ClientState, socket: number, nowMs: number): Effect[] {
  const { deadlines, outbox, timing } = state;
  if (socket !== state.opening) return [{ type: 'close', socket, code: CLOSE.replaced }];
  const effects = retire(state, nowMs);
  state.opening = null;
  state.current = socket;
  state.isConfirmed = false;
  state.isAged = false;
  delete deadlines.opened;
  deadlines.renewed = nowMs + timing.renewMs - draw(state) * timing.renewJitterMs;
  if (state.phase === 'opening') {
    state.phase = 'open';
    deadlines.heartbeat = nowMs + timing.heartbeatMs;
    return [...effects, { type: 'ready' }];
  }
  // A frame in doubt comes again under its number. Without one a heartbeat tells the server where the connection is now.
  if (outbox.inFlight === null) putHeartbeat(outbox);
  return [...effects, ...sendInFlight(state, nowMs)];
}

/** A socket that failed to open, or is closed. */
export function socketLost(
  state: ClientState,
  { socket, code, reason }: { socket: number; code: number; reason: string },
  nowMs: number,
): Effect[] {
  const { deadlines, timing } = state;
  if (socket === state.former) {
    state.former = null;
    delete deadlines.lingered;
  }
  if (socket === state.opening) {
    state.opening = null;
    delete deadlines.opened;
    if (state.phase === 'opening') return end(state, code, reason);
    if (state.current === null) return retry(state, nowMs);
    // The old socket still serves.
    deadlines.renewed = nowMs + timing.answerMs;
  }
  if (socket === state.current) {
    state.current = null;
    // The server closes on purpose where another connection has the client, or a worker that does not know this one.
    return MAY_RESUME.includes(code) ? resume(state, nowMs, reason, code) : end(state, code, reason);
  }
  return [];
}

/** `current` is gone or cannot be relied on: the connection goes on with another socket, or ends where it cannot. */
export function resume(state: ClientState, nowMs: number, reason: string, code: number = CLOSE.lost): Effect[] {
  const { deadlines, timing } = state;
  if (state.token === null || state.phase === 'closing') return end(state, code, reason);
  for (const deadline of ['answered', 'again', 'heartbeat', 'renewed', 'ordered'] as const) delete deadlines[deadline];
  deadlines.resumed ??= nowMs + timing.resumeMs;
  const effects = retire(state, nowMs);
  return state.opening === null ? [...effects, ...retry(state, nowMs)] : effects;
}

export function sendInFlight(state: ClientState, nowMs: number): Effect[] {
  const { current, deadlines, outbox, timing } = state;
  if (current === null || outbox.inFlight === null) return [];
  deadlines.answered = nowMs + timing.answerMs;
  deadlines.heartbeat = nowMs + timing.heartbeatMs;
  state.sentOn = current;
  // A resumed connection says what it has of the worker's until the server has heard it.
  const seen = state.isConfirmed ? null : seenOf(state.order);
  return [{ type: 'send', socket: current, text: clientFrame({ ...outbox.inFlight, ...(seen && { seen }) }) }];
}

/** The frame in flight once more, in a while: the server could not deal with it. */
export function sendAgain(state: ClientState, nowMs: number): Effect[] {
  const { deadlines, timing } = state;
  delete deadlines.answered;
  state.attempts += 1;
  deadlines.resumed ??= nowMs + timing.resumeMs;
  deadlines.again = nowMs + delayMs(state);
  return [];
}

/** Closes what there is and tells the user. */
export function end(state: ClientState, code: number, reason: string): Effect[] {
  const sockets = [state.opening, state.current, state.former].filter((socket) => socket !== null);
  state.phase = 'closed';
  state.opening = null;
  state.current = null;
  state.former = null;
  state.deadlines = {};
  return [
    ...sockets.map((socket): Effect => ({ type: 'close', socket, code: CLOSE.normal })),
    { type: 'ended', code, reason },
  ];
}

export function closeFormer(state: ClientState): Effect[] {
  const { former } = state;
  state.former = null;
  delete state.deadlines.lingered;
  return former === null ? [] : [{ type: 'close', socket: former, code: CLOSE.replaced }];
}

/** `current` becomes `former`: what was posted to it before the server knew the new one still comes there. */
function retire(state: ClientState, nowMs: number): Effect[] {
  if (state.current === null) return [];
  const effects = closeFormer(state);
  state.former = state.current;
  state.current = null;
  state.deadlines.lingered = nowMs + state.timing.lingerMs;
  return effects;
}

/** The first attempt at once. */
function retry(state: ClientState, nowMs: number): Effect[] {
  if (state.attempts === 0) return openSocket(state, nowMs);
  state.deadlines.retry = nowMs + delayMs(state);
  return [];
}

function delayMs(state: ClientState): number {
  return state.timing.retryMs * 2 ** (state.attempts - 1) * (0.5 + draw(state) / 2);
}
