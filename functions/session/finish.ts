import type { InFlight } from './delivery.js';
import type { SessionEffect } from './effects.js';
import { inFlightKey, isInLog } from './places.js';
import { inFlightRow } from './set-aside.js';
import type { SessionState } from './state.js';

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
