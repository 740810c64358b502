import { type InboundRow, type InboundStore, retriedInbound } from '../../ports/store.js';
import type { Item } from './calls.js';
import { clearRange } from './clear-range.js';
import { inboundKey, inboundOf, inboundUpTo, type Place } from './keys.js';
import { ROWS_MAX, rowsAfter } from './listing.js';
import type { Shared } from './shared.js';

/** Exchanges whose rows this process has written itself and need not read to end them. */
const KNOWN_MAX = 10_000;

export class InboundTable implements InboundStore {
  /** By key, what was written. */
  readonly #known = new Map<string, Item>();

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
        if (answer.held) {
          this.#know(place, item);
          return undefined;
        }
        const there = answer.there && (await bodies.read<InboundRow>(answer.there));
        if (there === undefined) continue;
        const again = await bodies.item(place, retriedInbound(there.row, row));
        // "each finds what the one before it has written"
        const written = await calls.put(again.item, { expression: 'id = :id', values: { ':id': there.item.id! } });
        if (!written.held) continue;
        this.#know(place, again.item);
        return there.row;
      }
    };
    return lines.enter(clientId, begin, { kind: 'inbound', keys: [place.sk], ordered: 0 });
  }

  async end(clientId: string, generation: number, packetId: number): Promise<boolean> {
    const { calls, lines } = this.shared;
    const place = inboundKey(clientId, generation, packetId);
    const end = async (): Promise<boolean> => {
      let there = this.#known.get(nameOf(place)) ?? (await calls.get(place));
      this.#known.delete(nameOf(place));
      while (there !== undefined) {
        // "nothing that is begun after that"
        const ended = await calls.delete(place, { expression: 'id = :id', values: { ':id': there.id! } });
        if (ended.held) return true;
        // Another process has tried the same exchange again meanwhile.
        const token = await this.#tokenOf(there);
        const isSame = ended.there !== undefined && (await this.#tokenOf(ended.there)) === token;
        there = isSame ? ended.there : undefined;
      }
      return false;
    };
    return lines.enter(clientId, end, { kind: 'inbound', keys: [place.sk], ordered: 0 });
  }

  async open(clientId: string, generation: number): Promise<InboundRow[]> {
    const { calls, bodies } = this.shared;
    const rows = await rowsAfter<InboundRow>(calls, bodies, [inboundOf(clientId, generation)], null, ROWS_MAX);
    return rows.map(({ row }) => row);
  }

  async forget(clientId: string, generation: number, packetId: number, { token }: InboundRow): Promise<void> {
    const { calls, bodies, lines } = this.shared;
    const place = inboundKey(clientId, generation, packetId);
    const forget = async (): Promise<void> => {
      this.#known.delete(nameOf(place));
      const item = await calls.get(place);
      const row = item && (await bodies.read<InboundRow>(item))?.row;
      if (row === undefined || row.token !== token || row.retriedAtMs !== undefined) return;
      // "unless it was begun again since"
      await calls.delete(place, { expression: 'id = :id', values: { ':id': item!.id! } });
    };
    return lines.enter(clientId, forget, { kind: 'inbound', keys: [place.sk], ordered: 0 });
  }

  async clear(clientId: string, generation: number): Promise<void> {
    const { calls, writer, lines } = this.shared;
    return lines.enter(clientId, () => clearRange(calls, writer, inboundUpTo(clientId, generation)));
  }

  #know(place: Place, item: Item): void {
    this.#known.set(nameOf(place), item);
    const [oldest] = this.#known.keys();
    if (this.#known.size > KNOWN_MAX && oldest !== undefined) this.#known.delete(oldest);
  }

  async #tokenOf(item: Item): Promise<string | undefined> {
    return (await this.shared.bodies.read<InboundRow>(item))?.row.token;
  }
}

function nameOf({ pk, sk }: Place): string {
  return `${pk}\u0000${sk}`;
}
