import { messageSecondsLeft } from '../mqtt/expiry.js';
import { REASON } from '../mqtt/reason-codes.js';
import type { OutboundRow, RetainedDue, RetainedRow } from '../ports/store.js';
import { publicationBytes } from '../topics/publication.js';
import { countTooLarge, deliver, removeQueued, send, sendEntry, sendWaiting, track, windowRoom } from './deliver.js';
import type { InFlight } from './delivery.js';
import type { SessionEffect } from './effects.js';
import { finish } from './finish.js';
import type { SessionInput } from './inputs.js';
import { isTooLarge } from './outgoing.js';
import { IN_FLIGHT, orderOf, placeText, retainedSource } from './places.js';
import { readHistory } from './replay.js';
import { save } from './saving.js';
import { isDurable, type SessionState } from './state.js';
import { queue, wait } from './waiting.js';

/** Rows asked for at a time. */
const PAGE_ROWS = 100;
const PAGE_BYTES = 1024 * 1024;

/** From now on what the store has is read from the front, before anything new is sent. */
export function beginPass(state: SessionState): void {
  const { stored } = state;
  state.mode = 'draining';
  stored.pass = stored.used ? 'due' : 'none';
  stored.resendFrom = 0;
  stored.resendBelow = state.nextOrder;
}

/**
 * Sends what can be sent: first what the store holds, then retained messages that SUBACKs promised, then what waits in
 * memory. Called after every input that may have opened the window or finished a write.
 */
export function drain(state: SessionState, now: number, effects: SessionEffect[]): void {
  if (state.mode === 'draining' && !state.stored.reading) {
    const due = state.retainedDue[0];
    if (state.stored.pass !== 'none') {
      readQueue(state, effects);
    } else if (due !== undefined) {
      // Whatever the window: QoS 0 has none, and what has to wait is bounded.
      state.stored.reading = true;
      effects.push({ type: 'read-retained', due, limit: PAGE_ROWS });
    } else {
      state.mode = 'live';
    }
  }
  if (state.mode === 'live') {
    sendWaiting(state, now, effects);
    readHistory(state, effects);
  }
}

function readQueue(state: SessionState, effects: SessionEffect[]): void {
  const { stored } = state;
  const limit = Math.min(windowRoom(state), pageRows(state));
  if (limit <= 0) return;
  if (stored.pass === 'due') {
    if (stored.writing > 0 || state.replayUnsaved) return;
    stored.pass = 'under-way';
    stored.cursor = null;
    stored.taken = {};
    for (const entry of Object.values(state.inFlight)) {
      if (entry.queued) stored.taken[placeText(entry.origin)] = 'queued';
    }
    stored.newer = {};
  }
  stored.reading = true;
  effects.push({ type: 'read-outbound', after: stored.cursor, limit });
}

/** Fewer where what is stored is large. */
function pageRows({ stored }: SessionState): number {
  if (stored.bytes <= PAGE_BYTES) return PAGE_ROWS;
  const rowBytes = stored.bytes / Math.max(1, stored.messages);
  return Math.min(PAGE_ROWS, Math.max(1, Math.floor(PAGE_BYTES / rowBytes)));
}

export function onOutboundRead(
  state: SessionState,
  input: Extract<SessionInput, { type: 'outbound-read' }>,
  now: number,
  effects: SessionEffect[],
): void {
  const { stored } = state;
  stored.reading = false;
  // The connection went while the store was being read, or a new one has begun another pass.
  if (state.mode !== 'draining' || stored.pass !== 'under-way') return drain(state, now, effects);
  let isCutShort = false;
  for (const row of input.rows) {
    // Large ones may shut the window within a page.
    isCutShort = windowRoom(state) <= 0;
    if (isCutShort) break;
    stored.cursor = { source: row.source, position: row.position };
    const taken = stored.taken[placeText(row)];
    // Rows that are being written may be seen in any order. What was there when the pass began comes whole.
    const newer = stored.newer[row.source];
    if (newer !== undefined && row.position >= newer.first) {
      if (newer.last > row.position) stored.cursor.position = newer.last;
      continue;
    }
    if (row.source === IN_FLIGHT) resend(state, row, now, effects);
    else if (taken === 'resent') removeQueued(state, row, effects);
    else if (taken === undefined) takeQueued(state, row, now, effects);
  }
  if (input.end && !isCutShort) {
    stored.pass = Object.keys(stored.newer).length > 0 ? 'due' : 'none';
    if (stored.pass === 'none') stored.messages = stored.bytes = 0;
  }
  drain(state, now, effects);
}

/** In flight when the last connection ended: the same packet identifier, and DUP [MQTT-3.3.1-1] [MQTT-4.4.0-1]. */
function resend(state: SessionState, row: OutboundRow, now: number, effects: SessionEffect[]): void {
  const origin = placeText(row.origin);
  // A crash may have left its row in the queue, too. It goes before the one in flight does, or it would be sent anew.
  const mayBeQueued = state.known[origin] === true && row.state !== 'done';
  state.stored.taken[origin] = mayBeQueued ? 'queued' : 'resent';
  const order = orderOf(row);
  // Each once: what is read may be old, and have been answered since.
  const isOwed = order >= state.stored.resendFrom && order < state.stored.resendBelow;
  if (row.state === 'done' || !isOwed || state.connection === null) return;
  state.stored.resendFrom = order + 1;
  const entry: InFlight = {
    packetId: row.packetId,
    order,
    qos: row.qos,
    phase: row.state === 'released' ? 'released' : 'sent',
    origin: row.origin,
    publication: row.publication,
    retain: row.retain,
    ...(row.identifiers && { identifiers: row.identifiers }),
    ...(row.share !== undefined && { share: row.share }),
    bytes: row.publication ? publicationBytes(row.publication) : 0,
    sentAtMs: now,
    saved: true,
    queued: mayBeQueued,
    settled: true,
  };
  state.nextOrder = Math.max(state.nextOrder, order + 1);
  track(state, entry, now);
  if (entry.phase === 'released') {
    effects.push({ type: 'send', packet: { type: 'pubrel', packetId: row.packetId, reasonCode: REASON.success } });
  } else {
    const left = row.publication && messageSecondsLeft(row.publication, now);
    const secondsLeft = left === null ? null : Math.max(left, 1);
    // This connection may take less than the one before.
    if (row.publication && isTooLarge(state, { ...row, publication: row.publication }, secondsLeft)) {
      countTooLarge(effects);
      finish(state, entry, effects);
    } else {
      sendEntry(state, entry, true, secondsLeft, effects);
    }
  }
}

function takeQueued(state: SessionState, row: OutboundRow, now: number, effects: SessionEffect[]): void {
  if (row.publication === null) return;
  const { publication } = row;
  state.stored.messages = Math.max(0, state.stored.messages - 1);
  state.stored.bytes = Math.max(0, state.stored.bytes - publicationBytes(publication));
  const othersKeep = row.share !== undefined;
  send(state, { ...row, publication, held: false, othersKeep }, { queued: true }, now, effects);
}

/** A page of retained messages for a new subscription [MQTT-3.3.1-6]. */
export function onRetainedRead(
  state: SessionState,
  input: Extract<SessionInput, { type: 'retained-read' }>,
  now: number,
  effects: SessionEffect[],
): void {
  state.stored.reading = false;
  const due = state.retainedDue[0];
  if (
    state.mode === 'draining' &&
    state.stored.pass === 'none' &&
    due?.sequence === input.sequence &&
    due.filter === input.filter
  ) {
    for (const row of input.rows) sendRetained(state, due, row, now, effects);
    due.after = input.next;
    if (input.next === null) state.retainedDue.shift();
    if (input.rows.length > 0) {
      save(state, effects);
      // What was queued is not sent before the row says how far the retained messages are read: no crash repeats any.
      state.replayUnsaved = isDurable(state) && state.stored.pass !== 'none';
    }
  }
  drain(state, now, effects);
}

function sendRetained(
  state: SessionState,
  due: RetainedDue,
  row: RetainedRow,
  now: number,
  effects: SessionEffect[],
): void {
  if (row.publication === null) return;
  // Appended after the SUBSCRIBE was taken: it comes as a live publication.
  const since = due.since[row.partition];
  if (since !== undefined && row.position > since) return;
  const qos = Math.min(row.publication.qos, due.options.qos) as 0 | 1 | 2;
  const delivery = {
    source: retainedSource(due.sequence),
    position: `${row.partition}@${row.position}`,
    publication: row.publication,
    qos,
    retain: true,
    held: false,
    ...(due.identifier !== undefined && { identifiers: [due.identifier] }),
  };
  const left = messageSecondsLeft(row.publication, now);
  if (left !== null && left <= 0) return;
  // In flight since before a crash.
  if (qos > 0 && state.knownCount > 0 && state.known[placeText(delivery)]) return;
  if (qos === 0) deliver(state, delivery, now, effects);
  else if (windowRoom(state) > 0) send(state, delivery, { queued: false }, now, effects);
  // Nothing else would bring it back after a crash.
  else if (isDurable(state)) queue(state, delivery, now, effects);
  // A page may hold more than was asked for.
  else wait(state, delivery, now, effects);
}
