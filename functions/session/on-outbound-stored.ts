import { messageSecondsLeft } from '../mqtt/expiry.js';
import { REASON } from '../mqtt/reason-codes.js';
import type { OutboundRow } from '../ports/store.js';
import { drain } from './backlog.js';
import { removeQueued, sendEntry } from './deliver.js';
import type { SessionEffect } from './effects.js';
import type { SessionInput } from './inputs.js';
import { finish, untrack } from './on-acknowledged.js';
import { IN_FLIGHT, orderOf } from './places.js';
import type { SessionState } from './state.js';

/** Rows are durable: what waited for that may be sent. */
export function onOutboundStored(
  state: SessionState,
  input: Extract<SessionInput, { type: 'outbound-stored' }>,
  now: number,
  effects: SessionEffect[],
): void {
  state.stored.writing -= 1;
  for (const row of input.rows) {
    if (row.source === IN_FLIGHT) onInFlightStored(state, row, now, effects);
  }
  drain(state, now, effects);
}

function onInFlightStored(state: SessionState, row: OutboundRow, now: number, effects: SessionEffect[]): void {
  const entry = state.inFlight[row.packetId];
  // Set aside meanwhile: the row speaks for itself when the session resumes.
  if (entry === undefined || entry.order !== orderOf(row)) return;
  if (entry.phase === 'saving') {
    entry.phase = 'sent';
    if (entry.queued) {
      entry.queued = false;
      removeQueued(state, entry.origin, effects);
    }
    const left = entry.publication && messageSecondsLeft(entry.publication, now);
    if (left !== null && left <= 0) finish(state, entry, effects);
    else sendEntry(state, entry, false, left, effects);
  } else if (entry.phase === 'releasing') {
    entry.phase = 'released';
    const { packetId } = entry;
    effects.push({ type: 'send', packet: { type: 'pubrel', packetId, reasonCode: REASON.success } });
  }
}

export function onOutboundFinished(
  state: SessionState,
  input: Extract<SessionInput, { type: 'outbound-finished' }>,
  now: number,
  effects: SessionEffect[],
): void {
  state.stored.writing -= 1;
  const entry = state.inFlight[input.packetId];
  if (entry?.phase === 'finishing') untrack(state, entry);
  drain(state, now, effects);
}
