import type { OutboundKey, OutboundRow, OutboundStore } from '../ports/store.js';
import type { HandedBack } from '../session/delivery.js';
import { placeText } from '../session/places.js';

const PAGE_ROWS = 500;

/**
 * What the store holds for an ended session that other members of its shared subscriptions may still have: what was never
 * sent, and QoS 1 that was not answered. QoS 2 that may have been sent is nobody else's [MQTT-4.8.2-6]. `keys`: their rows, which go once others have them.
 */
export async function* storedShares(
  outbound: OutboundStore,
  clientId: string,
  generation: number,
): AsyncGenerator<{ publications: HandedBack[]; keys: OutboundKey[] }> {
  // Rows in flight come before the queue's. A crash may have left what was sent in the queue, too.
  const sent = new Set<string>();
  let after: OutboundKey | null = null;
  for (;;) {
    const rows: OutboundRow[] = await outbound.read(clientId, generation, after, PAGE_ROWS);
    const publications: HandedBack[] = [];
    const keys: OutboundKey[] = [];
    for (const row of rows) {
      const publication = handedBack(row, sent);
      if (publication === null) continue;
      publications.push(publication);
      keys.push({ source: row.source, position: row.position });
    }
    if (keys.length > 0) yield { publications, keys };
    const last = rows[rows.length - 1];
    if (last === undefined || rows.length < PAGE_ROWS) return;
    after = last;
  }
}

function handedBack({ share, state, qos, origin, publication }: OutboundRow, sent: Set<string>): HandedBack | null {
  const isQueued = state === 'queued';
  if (!isQueued && share !== undefined) sent.add(placeText(origin));
  const isFree = isQueued ? !sent.has(placeText(origin)) : state === 'sent' && qos === 1;
  if (share === undefined || publication === null || !isFree) return null;
  return { share, place: origin, publication, held: false };
}
