import { publicationBytes } from '../topics/publication.js';
import type { HandedBack, InFlight } from './delivery.js';
import type { SessionEffect } from './effects.js';
import { untrack } from './finish.js';
import { inSendingOrder } from './set-aside.js';
import type { SessionState } from './state.js';

/**
 * Gives up what shared subscriptions brought and this client has not had, or not answered with QoS 1, for other members to
 * take [MQTT-4.8.2-5]. QoS 2 that was sent stays: nobody else may have it [MQTT-4.8.2-4] [MQTT-4.8.2-6]. So does what the
 * store has: it is this session's until that ends.
 */
export function handBack(state: SessionState, isWanted: (share: string) => boolean, effects: SessionEffect[]): void {
  const publications: HandedBack[] = [];
  for (const entry of inSendingOrder(state)) {
    const { share, origin: place, publication } = entry;
    if (share === undefined || publication === null || !isFree(entry) || !isWanted(share)) continue;
    publications.push({ share, place, publication, held: !entry.settled, stored: false });
    untrack(state, entry);
  }
  if (publications.length > 0) state.toSend = state.toSend.filter((packetId) => packetId in state.inFlight);
  state.waiting = state.waiting.filter((delivery) => {
    const { share, publication, held } = delivery;
    if (share === undefined || !isWanted(share)) return true;
    const place = { source: delivery.source, position: delivery.position };
    publications.push({ share, place, publication, held, stored: false });
    state.waitingBytes -= publicationBytes(publication);
    return false;
  });
  if (publications.length > 0) effects.push({ type: 'hand-back', publications });
}

function isFree(entry: InFlight): boolean {
  return !entry.saved && !entry.queued && (entry.qos === 1 || entry.phase === 'ready');
}
