import type { OutboundKey, OutboundRow, OutboundStore } from '../ports/store.js';
import type { HandedBack } from '../session/delivery.js';

const PAGE_ROWS = 500;

/**
 * What the store holds for an ended session that other members of its shared subscriptions may still have: what was never
 * sent, and QoS 1 that was not answered. QoS 2 that may have been sent is nobody else's [MQTT-4.8.2-6].
 */
export async function* storedShares(
  outbound: OutboundStore,
  clientId: string,
  generation: number,
): AsyncGenerator<HandedBack[]> {
  let after: OutboundKey | null = null;
  for (;;) {
    const rows: OutboundRow[] = await outbound.read(clientId, generation, after, PAGE_ROWS);
    const page = rows.flatMap(handedBack);
    if (page.length > 0) yield page;
    const last = rows[rows.length - 1];
    if (last === undefined || rows.length < PAGE_ROWS) return;
    after = last;
  }
}

function handedBack({ share, state, qos, origin, publication }: OutboundRow): HandedBack[] {
  const isFree = state === 'queued' || (state === 'sent' && qos === 1);
  if (share === undefined || publication === null || !isFree) return [];
  return [{ share, place: origin, publication, held: false }];
}
