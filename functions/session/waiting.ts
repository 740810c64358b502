import type { OutboundRow } from '../ports/store.js';
import { publicationBytes } from '../topics/publication.js';
import type { Delivery, Waiting } from './delivery.js';
import type { SessionEffect } from './effects.js';
import type { SessionState, Stored } from './state.js';

/** Puts a delivery behind what waits in memory; past the bounds all of it moves to the store. */
export function wait(state: SessionState, delivery: Delivery, now: number, effects: SessionEffect[]): void {
  state.waiting.push({ ...delivery, sinceMs: now });
  state.waitingBytes += publicationBytes(delivery.publication);
  if (delivery.held) state.unsavedSinceMs ??= now;
  const { waitingMaxMessages, waitingMaxBytes } = state.limits;
  if (state.waiting.length > waitingMaxMessages || state.waitingBytes > waitingMaxBytes) spill(state, effects);
}

/** Puts a delivery into the store's queue, behind what waits in memory. */
export function queue(state: SessionState, delivery: Delivery, now: number, effects: SessionEffect[]): void {
  state.waiting.push({ ...delivery, sinceMs: now });
  state.waitingBytes += publicationBytes(delivery.publication);
  spill(state, effects);
}

/** Moves what waits in memory behind what the store holds; from then on the store is read first. */
export function spill(state: SessionState, effects: SessionEffect[]): void {
  const waiting = takeWaiting(state);
  if (waiting.length === 0) return;
  effects.push({ type: 'count', name: 'publications-spilled', by: waiting.length });
  enqueue(state, waiting, effects);
  if (state.mode === 'live') state.mode = 'draining';
  if (state.stored.pass === 'none') state.stored.pass = 'due';
}

export function takeWaiting(state: SessionState): Waiting[] {
  const waiting = state.waiting;
  state.waiting = [];
  state.waitingBytes = 0;
  return waiting;
}

/** Appends to the store's queue, within its bounds: past them the newest are dropped, because the older were there first. */
export function enqueue(
  state: SessionState,
  deliveries: readonly Delivery[],
  effects: SessionEffect[],
  { isBounded = true } = {},
): void {
  const { stored, limits } = state;
  const held: OutboundRow[] = [];
  const others: OutboundRow[] = [];
  let dropped = 0;
  for (const delivery of deliveries) {
    const bytes = publicationBytes(delivery.publication);
    if (delivery.qos === 0) continue;
    const isFull = stored.messages >= limits.queueMaxMessages || stored.bytes + bytes > limits.queueMaxBytes;
    if (isBounded && isFull) {
      if (delivery.held) effects.push({ type: 'settle', place: delivery });
      dropped += 1;
      continue;
    }
    stored.messages += 1;
    stored.bytes += bytes;
    countNewer(stored, delivery);
    (delivery.held ? held : others).push(queuedRow(delivery, delivery.qos));
  }
  if (dropped > 0) effects.push({ type: 'count', name: 'publications-dropped-queue-full', by: dropped });
  for (const rows of [held, others]) {
    if (rows.length === 0) continue;
    stored.writing += 1;
    stored.used = true;
    effects.push({ type: 'store-outbound', rows, settles: rows === held });
  }
}

function countNewer({ newer }: Stored, { source, position }: Delivery): void {
  newer[source] ??= { first: position, last: position };
  const range = newer[source];
  if (position < range.first) range.first = position;
  else if (position > range.last) range.last = position;
}

function queuedRow(delivery: Delivery, qos: 1 | 2): OutboundRow {
  const { source, position, retain, identifiers, share, publication } = delivery;
  return {
    source,
    position,
    origin: { source, position },
    state: 'queued',
    packetId: 0,
    qos,
    retain,
    ...(identifiers && { identifiers }),
    ...(share !== undefined && { share }),
    publication,
  };
}
