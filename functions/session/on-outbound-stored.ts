import type { OutboundRow } from '../ports/store.js';
import { drain } from './backlog.js';
import { removeQueued, sendReady } from './deliver.js';
import type { SessionEffect } from './effects.js';
import { untrack } from './finish.js';
import type { SessionInput } from './inputs.js';
import { sendReleasable } from './on-acknowledged.js';
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
    entry.phase = 'ready';
    if (entry.queued) {
      entry.queued = false;
      removeQueued(state, entry.origin, effects);
    }
    sendReady(state, now, effects);
  } else if (entry.phase === 'releasing') {
    entry.phase = 'releasable';
    sendReleasable(state, effects);
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
