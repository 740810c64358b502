import { type InboundRow, type InboundStore, retriedInbound } from '../../ports/store.js';
import { clearRange } from './clear-range.js';
import { inboundKey, inboundUpTo } from './keys.js';
import type { Shared } from './shared.js';

export class InboundTable implements InboundStore {
  constructor(private readonly shared: Shared) {}

  async begin(
    clientId: string,
    generation: number,
    packetId: number,
    row: InboundRow,
  ): Promise<InboundRow | undefined> {
    const { calls, bodies, lines } = this.shared;
    const place = inboundKey(clientId, generation, packetId);
    const begin = async (): Promise<InboundRow | undefined> => {
      for (;;) {
        const { item } = await bodies.item(place, row);
        // "where the packet identifier is free"
        const answer = await calls.put(item, { expression: 'attribute_not_exists(pk)' });
        if (answer.held) return undefined;
        const there = answer.there && (await bodies.read<InboundRow>(answer.there));
        if (there === undefined) continue;
        const again = await bodies.item(place, retriedInbound(there.row, row));
        // "each finds what the one before it has written"
        const id = there.item.id!;
        const written = await calls.put(again.item, { expression: 'id = :id', values: { ':id': id } });
        if (written.held) return there.row;
      }
    };
    return lines.enter(clientId, begin, { kind: 'inbound', keys: [place.sk], ordered: 0 });
  }

  async end(clientId: string, generation: number, packetId: number): Promise<boolean> {
    const { calls, lines } = this.shared;
    const place = inboundKey(clientId, generation, packetId);
    const end = async (): Promise<boolean> => {
      // "resolves false where there was none"
      return (await calls.delete(place, { expression: 'attribute_exists(pk)' })).held;
    };
    return lines.enter(clientId, end, { kind: 'inbound', keys: [place.sk], ordered: 0 });
  }

  async clear(clientId: string, generation: number): Promise<void> {
    const { calls, writer, lines } = this.shared;
    return lines.enter(clientId, () => clearRange(calls, writer, inboundUpTo(clientId, generation)));
  }
}
