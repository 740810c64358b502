import type { OutboundKey, OutboundRow, OutboundStore } from '../ports/store.js';
import type { HandedBack } from '../session/delivery.js';
import { isInLog, placeText } from '../session/places.js';

const PAGE_ROWS = 500;

/**
 * What the store holds for an ended session that other members of its shared subscriptions may still have: what was never
 * sent, and QoS 1 that was not answered. `keys`: their rows, which go once others have them. `sent`: where QoS 2 came from that
 * may have been sent, or was answered, and is nobody else's [MQTT-4.8.2-6].
 */
export async function* storedShares(
  outbound: OutboundStore,
  clientId: string,
  generation: number,
): AsyncGenerator<{ publications: HandedBack[]; keys: OutboundKey[]; sent: OutboundKey[] }> {
  // Rows in flight come before the queue's. A crash may have left what was sent in the queue, too.
  const known = new Set<string>();
  let after: OutboundKey | null = null;
  for (;;) {
    const rows: OutboundRow[] = await outbound.read(clientId, generation, after, PAGE_ROWS);
    const publications: HandedBack[] = [];
    const keys: OutboundKey[] = [];
    const sent: OutboundKey[] = [];
    for (const row of rows) {
      if (row.share === undefined) continue;
      const publication = known.has(placeText(row.origin)) ? null : handedBack(row);
      if (row.state !== 'queued') known.add(placeText(row.origin));
      if (publication !== null) {
        publications.push(publication);
        keys.push({ source: row.source, position: row.position });
      } else if (row.state !== 'queued' && isInLog(row.origin)) {
        sent.push(row.origin);
      }
    }
    if (keys.length + sent.length > 0) yield { publications, keys, sent };
    const last = rows[rows.length - 1];
    if (last === undefined || rows.length < PAGE_ROWS) return;
    after = last;
  }
}

/** null: others may not have it. */
export function handedBack({ share, state, qos, origin, publication }: OutboundRow): HandedBack | null {
  const isFree = state === 'queued' || (state === 'sent' && qos === 1);
  if (share === undefined || publication === null || !isFree) return null;
  return { share, place: origin, publication, held: false, stored: true };
}
