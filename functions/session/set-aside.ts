import type { OutboundRow } from '../ports/store.js';
import type { InFlight } from './delivery.js';
import type { SessionEffect } from './effects.js';
import { inFlightKey } from './places.js';
import type { SessionState } from './state.js';
import { enqueue, takeWaiting } from './waiting.js';

/**
 * The connection is gone and the session lives on: what is in flight or waits in memory moves to the store, so that an
 * absent client holds up neither memory nor the checkpoint. Resuming reads it from there.
 */
export function setAside(state: SessionState, effects: SessionEffect[]): void {
  const entries = inSendingOrder(state);
  saveInFlight(state, entries, effects);
  forgetInFlight(state);
  enqueue(state, takeWaiting(state), effects);
  state.unsavedSinceMs = null;
}

export function forgetInFlight(state: SessionState): void {
  state.inFlight = {};
  state.inFlightCount = 0;
  state.inFlightBytes = 0;
  state.toSend = [];
  state.toRelease = [];
}

/** Writes rows for what is in flight and has none. QoS 2 has one since before it was sent. */
export function saveInFlight(state: SessionState, entries: readonly InFlight[], effects: SessionEffect[]): void {
  const unsettled = entries.filter((entry) => !entry.saved && !entry.settled);
  const settled = entries.filter((entry) => !entry.saved && entry.settled);
  // What came out of the queue was sent first, and is written first: after a crash between, the rest comes behind it.
  for (const [group, settles] of [
    [settled, false],
    [unsettled, true],
  ] as const) {
    if (group.length === 0) continue;
    state.stored.writing += 1;
    state.stored.used = true;
    effects.push({ type: 'store-outbound', rows: group.map(inFlightRow), settles });
  }
  const queued = entries.filter((entry) => entry.queued);
  if (queued.length > 0) {
    state.stored.writing += 1;
    effects.push({ type: 'remove-outbound', keys: queued.map((entry) => entry.origin) });
  }
  for (const entry of entries) {
    entry.saved = true;
    entry.settled = true;
    entry.queued = false;
  }
}

export function inFlightRow(entry: InFlight): OutboundRow {
  return {
    ...inFlightKey(entry.order),
    origin: entry.origin,
    state: ROW_STATE[entry.phase],
    packetId: entry.packetId,
    qos: entry.qos,
    retain: entry.retain,
    ...(entry.identifiers && { identifiers: entry.identifiers }),
    ...(entry.share !== undefined && { share: entry.share }),
    publication: entry.publication,
  };
}

const ROW_STATE: Readonly<Record<InFlight['phase'], OutboundRow['state']>> = {
  saving: 'sent',
  ready: 'sent',
  sent: 'sent',
  releasing: 'released',
  releasable: 'released',
  released: 'released',
  finishing: 'done',
};

export function inSendingOrder(state: SessionState): InFlight[] {
  return Object.values(state.inFlight).sort((a, b) => a.order - b.order);
}
