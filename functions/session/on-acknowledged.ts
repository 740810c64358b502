import { REASON } from '../mqtt/reason-codes.js';
import type { Acknowledged } from '../ports/session-commands.js';
import { drain } from './backlog.js';
import type { SessionEffect } from './effects.js';
import { inFlightKey, isInLog } from './places.js';
import { inFlightRow } from './set-aside.js';
import { type InFlight, isDurable, type SessionState } from './state.js';

/** The client answered a publication: PUBACK ends QoS 1, PUBREC and PUBCOMP are the two steps of QoS 2. */
export function onAcknowledged(state: SessionState, input: Acknowledged, now: number, effects: SessionEffect[]): void {
  const entry = state.inFlight[input.packetId];
  switch (input.answer) {
    case 'puback':
      if (entry?.qos === 1) finish(state, entry, effects);
      break;
    case 'pubrec':
      onPubrec(state, entry, input, effects);
      break;
    case 'pubcomp':
      if (entry?.phase === 'released') finish(state, entry, effects);
      break;
    case 'pubrel':
      break;
  }
  drain(state, now, effects);
}

function onPubrec(
  state: SessionState,
  entry: InFlight | undefined,
  input: Acknowledged,
  effects: SessionEffect[],
): void {
  const { packetId } = input;
  if (entry?.qos !== 2) {
    effects.push({ type: 'send', packet: { type: 'pubrel', packetId, reasonCode: REASON.packetIdentifierNotFound } });
  } else if (input.reasonCode >= REASON.unspecifiedError) {
    // The receiver refused: the exchange ends here [MQTT-4.3.3-4].
    if (entry.phase === 'sent') finish(state, entry, effects);
  } else if (entry.phase === 'released') {
    effects.push({ type: 'send', packet: { type: 'pubrel', packetId, reasonCode: REASON.success } });
  } else if (entry.phase === 'sent') {
    state.inFlightBytes -= entry.bytes;
    entry.bytes = 0;
    entry.publication = null;
    if (isDurable(state)) {
      entry.phase = 'releasing';
      state.stored.writing += 1;
      effects.push({ type: 'store-outbound', rows: [inFlightRow(entry)], settles: false });
    } else {
      entry.phase = 'released';
      effects.push({ type: 'send', packet: { type: 'pubrel', packetId, reasonCode: REASON.success } });
    }
  }
}

/** The exchange is over, or was not begun in time; the packet identifier is free once nothing durable speaks of it any more. */
export function finish(state: SessionState, entry: InFlight, effects: SessionEffect[]): void {
  if (!entry.settled) effects.push({ type: 'settle', place: entry.origin });
  entry.settled = true;
  if (entry.queued) {
    state.stored.writing += 1;
    effects.push({ type: 'remove-outbound', keys: [entry.origin] });
  }
  if (entry.saved && entry.qos === 2 && isInLog(entry.origin)) {
    entry.phase = 'finishing';
    state.stored.writing += 1;
    effects.push({ type: 'finish-outbound', row: { ...inFlightRow(entry), publication: null } });
    return;
  }
  if (entry.saved) {
    state.stored.writing += 1;
    effects.push({ type: 'remove-outbound', keys: [inFlightKey(entry.order)] });
  }
  untrack(state, entry);
}

export function untrack(state: SessionState, entry: InFlight): void {
  delete state.inFlight[entry.packetId];
  state.inFlightCount -= 1;
  state.inFlightBytes -= entry.bytes;
  if (state.inFlightCount === 0 && state.waiting.length === 0) state.unsavedSinceMs = null;
}
