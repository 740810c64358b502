import { messageSecondsLeft } from '../mqtt/expiry.js';
import { PACKET_ID_MAX } from '../mqtt/limits.js';
import { publicationBytes } from '../topics/publication.js';
import type { Delivery, InFlight } from './delivery.js';
import type { PublishToClient, SessionEffect } from './effects.js';
import { finish } from './finish.js';
import { isTooLarge, sendPublish } from './outgoing.js';
import { isInLog, placeText } from './places.js';
import { inFlightRow } from './set-aside.js';
import { isDurable, type SessionState } from './state.js';
import { enqueue, queue, wait } from './waiting.js';

/** A publication that one of the session's filters matches. */
export function deliver(state: SessionState, delivery: Delivery, now: number, effects: SessionEffect[]): void {
  const isKnown = state.knownCount > 0 && delivery.qos > 0 && state.known[placeText(delivery)];
  const left = messageSecondsLeft(delivery.publication, now);
  if (isKnown || (left !== null && left <= 0)) return drop(delivery, effects);
  if (delivery.qos === 0) {
    // At most once: an absent client has missed it.
    if (state.connection !== null) sendQos0(state, delivery, left, effects);
  } else if (state.connection === null) {
    if (isDurable(state)) enqueue(state, [delivery], effects);
    else drop(delivery, effects);
  } else if (outlives(state, delivery) && !delivery.held) {
    // Nothing else would bring it back after a crash.
    queue(state, delivery, now, effects);
  } else if (state.mode === 'live' && state.waiting.length === 0 && windowRoom(state) > 0) {
    send(state, delivery, { queued: false }, now, effects);
  } else {
    wait(state, delivery, now, effects);
  }
}

/** Whether somebody is to have it after a crash: this session, or another member of the share. */
function outlives(state: SessionState, delivery: Delivery): boolean {
  return isDurable(state) || delivery.othersKeep === true;
}

/** What waits in memory goes out while the window is open. */
export function sendWaiting(state: SessionState, now: number, effects: SessionEffect[]): void {
  while (state.waiting.length > 0 && windowRoom(state) > 0) {
    const delivery = state.waiting.shift() as Delivery;
    state.waitingBytes -= publicationBytes(delivery.publication);
    send(state, delivery, { queued: false }, now, effects);
  }
}

/** How many more publications the client takes unanswered [MQTT-3.3.4-9]. */
export function windowRoom(state: SessionState): number {
  const { inFlightMax, inFlightMaxBytes } = state.limits;
  if (state.connection === null || state.inFlightBytes >= inFlightMaxBytes) return 0;
  return Math.min(state.connection.receiveMaximum, inFlightMax) - state.inFlightCount;
}

/**
 * Sends for the first time. QoS 2 is saved before, so that no crash makes it go out under two packet identifiers, or to two
 * members of a share; so is what neither the log nor the queue would bring back.
 */
export function send(
  state: SessionState,
  delivery: Delivery,
  options: { queued: boolean },
  now: number,
  effects: SessionEffect[],
): void {
  const { publication, retain, identifiers, share } = delivery;
  const qos = delivery.qos as 1 | 2;
  const left = messageSecondsLeft(publication, now);
  const isExpired = left !== null && left <= 0;
  if (isExpired || isTooLarge(state, delivery, left)) {
    if (!isExpired) countTooLarge(effects);
    return options.queued ? removeQueued(state, delivery, effects) : drop(delivery, effects);
  }
  const saves = outlives(state, delivery) && (qos === 2 || !(options.queued || isInLog(delivery)));
  const entry: InFlight = {
    packetId: takePacketId(state),
    order: state.nextOrder,
    qos,
    phase: saves ? 'saving' : 'ready',
    origin: { source: delivery.source, position: delivery.position },
    publication,
    retain,
    bytes: publicationBytes(publication),
    sentAtMs: now,
    saved: saves,
    queued: options.queued,
    settled: saves || !delivery.held,
  };
  if (identifiers !== undefined) entry.identifiers = identifiers;
  if (share !== undefined) entry.share = share;
  state.nextOrder += 1;
  track(state, entry, now);
  state.toSend.push(entry.packetId);
  if (saves) {
    state.stored.used = true;
    state.stored.writing += 1;
    effects.push({ type: 'store-outbound', rows: [inFlightRow(entry)], settles: delivery.held });
  }
  sendReady(state, now, effects);
}

/** Sends what is ready, as far as nothing before it still waits. One that has expired meanwhile is finished unsent [MQTT-3.3.2-5]. */
export function sendReady(state: SessionState, now: number, effects: SessionEffect[]): void {
  for (;;) {
    const entry = state.inFlight[state.toSend[0] ?? 0];
    if (entry?.phase !== 'ready') return;
    state.toSend.shift();
    const left = entry.publication && messageSecondsLeft(entry.publication, now);
    entry.phase = 'sent';
    if (left !== null && left <= 0) finish(state, entry, effects);
    else sendEntry(state, entry, false, left, effects);
  }
}

export function track(state: SessionState, entry: InFlight, now: number): void {
  state.inFlight[entry.packetId] = entry;
  state.inFlightCount += 1;
  state.inFlightBytes += entry.bytes;
  if (!entry.settled) state.unsavedSinceMs ??= now;
}

export function sendEntry(
  state: SessionState,
  entry: InFlight,
  dup: boolean,
  secondsLeft: number | null,
  effects: SessionEffect[],
): void {
  const { publication, qos, retain, packetId, identifiers } = entry;
  if (publication === null) return;
  const publish: PublishToClient = { publication, qos, retain, packetId, dup, secondsLeft };
  if (identifiers !== undefined) publish.identifiers = identifiers;
  sendPublish(state, publish, effects);
}

function sendQos0(state: SessionState, delivery: Delivery, secondsLeft: number | null, effects: SessionEffect[]): void {
  if (isTooLarge(state, delivery, secondsLeft)) return countTooLarge(effects);
  const { publication, retain, identifiers } = delivery;
  const sending = { packetId: 0, dup: false, secondsLeft, ...(identifiers && { identifiers }) };
  sendPublish(state, { publication, qos: 0, retain, ...sending }, effects);
}

export function countTooLarge(effects: SessionEffect[]): void {
  effects.push({ type: 'count', name: 'publications-dropped-too-large', by: 1 });
}

/** The checkpoint need not wait for what this session will not get. */
function drop(delivery: Delivery, effects: SessionEffect[]): void {
  if (delivery.held) effects.push({ type: 'settle', place: delivery });
}

export function removeQueued(
  state: SessionState,
  key: { source: string; position: string },
  effects: SessionEffect[],
): void {
  state.stored.writing += 1;
  effects.push({ type: 'remove-outbound', keys: [{ source: key.source, position: key.position }] });
}

function takePacketId(state: SessionState): number {
  let packetId = state.nextPacketId;
  while (state.inFlight[packetId]) packetId = packetId === PACKET_ID_MAX ? 1 : packetId + 1;
  state.nextPacketId = packetId === PACKET_ID_MAX ? 1 : packetId + 1;
  return packetId;
}
