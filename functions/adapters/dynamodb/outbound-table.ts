import type { OutboundKey, OutboundRow, OutboundStore } from '../../ports/store.js';
import { type Parts, partsNamed } from './bodies.js';
import { placeOf } from './calls.js';
import { clearRange } from './clear-range.js';
import { ORDERED_MAX_ROWS } from './client-lines.js';
import { generationOf, outboundKey, outboundRows, outboundUpTo, type Place } from './keys.js';
import { rowsAfter } from './listing.js';
import type { Shared } from './shared.js';

/** Long rows whose parts are remembered. Of those forgotten the parts stay until their client's rows are cleared. */
const LONG_ROWS_MAX = 10_000;

/**
 * Rows are written and removed in batches, which do not tell what was there before. So the parts of long rows are remembered, as they
 * were written or read: who removes a row has done one of both. What a crash leaves of parts goes with `clear`.
 */
export class OutboundTable implements OutboundStore {
  readonly #long = new Map<string, Parts>();

  constructor(private readonly shared: Shared) {}

  async put(clientId: string, generation: number, rows: readonly OutboundRow[]): Promise<void> {
    await Promise.all(chunksOf(rows).map((chunk) => this.#put(clientId, generation, chunk)));
  }

  #put(clientId: string, generation: number, rows: readonly OutboundRow[]): Promise<void> {
    const { bodies, writer, lines } = this.shared;
    const keyed = new Map(
      rows.map((row) => {
        const place = outboundKey(clientId, generation, row.source, row.position);
        return [place.sk, { place, row }];
      }),
    );
    const put = async (): Promise<void> => {
      const items = await Promise.all(
        [...keyed.values()].map(async ({ place, row }) => {
          const group = isNew(row) ? place.pk : undefined;
          return { place, group, ...(await bodies.item(place, row)) };
        }),
      );
      await writer.write(items);
      await Promise.all(items.map(({ place, item }) => this.#replaced(place, partsNamed(item))));
    };
    const ordered = rows.filter(isNew).length;
    return lines.enter(clientId, put, { kind: 'outbound', keys: [...keyed.keys()], ordered });
  }

  async remove(clientId: string, generation: number, keys: readonly OutboundKey[]): Promise<void> {
    const { writer, lines } = this.shared;
    const places = new Map(
      keys.map(({ source, position }) => {
        const place = outboundKey(clientId, generation, source, position);
        return [place.sk, place];
      }),
    );
    const remove = async (): Promise<void> => {
      await writer.remove([...places.values()]);
      await Promise.all([...places.values()].map((place) => this.#replaced(place, undefined)));
    };
    return lines.enter(clientId, remove, { kind: 'outbound', keys: [...places.keys()], ordered: 0 });
  }

  async read(clientId: string, generation: number, after: OutboundKey | null, limit: number): Promise<OutboundRow[]> {
    const { calls, bodies } = this.shared;
    const start = after && outboundKey(clientId, generation, after.source, after.position).sk;
    const rows = await rowsAfter<OutboundRow>(calls, bodies, [outboundRows(clientId, generation)], start, limit);
    for (const { item } of rows) {
      const parts = partsNamed(item);
      if (parts) this.#remember(placeOf(item), parts);
    }
    return rows.map(({ row }) => row);
  }

  async generations(clientId: string, generation: number): Promise<number[]> {
    const found: number[] = [];
    for (let first = 0; first <= generation; ) {
      const { items } = await this.shared.calls.query(outboundUpTo(clientId, generation, first), null, 1);
      const [item] = items;
      if (item === undefined) break;
      const at = generationOf(placeOf(item));
      found.push(at);
      first = at + 1;
    }
    return found;
  }

  async clear(clientId: string, generation: number): Promise<void> {
    const { calls, writer, lines } = this.shared;
    return lines.enter(clientId, () => clearRange(calls, writer, outboundUpTo(clientId, generation)));
  }

  async #replaced(place: Place, parts: Parts | undefined): Promise<void> {
    const old = this.#long.get(nameOf(place));
    if (parts) this.#remember(place, parts);
    else this.#long.delete(nameOf(place));
    // Its failure leaves parts that nobody reads.
    if (old) await this.shared.bodies.removeParts(place, old).catch(ignore);
  }

  #remember(place: Place, parts: Parts): void {
    this.#long.set(nameOf(place), parts);
    if (this.#long.size > LONG_ROWS_MAX) this.#long.delete(this.#long.keys().next().value!);
  }
}

/** A crash may not leave it without those before it: they would be sent after it. */
function isNew({ state }: OutboundRow): boolean {
  return state === 'queued' || state === 'sent';
}

/** One batch each. */
function chunksOf<T>(list: readonly T[]): T[][] {
  const count = Math.max(1, Math.ceil(list.length / ORDERED_MAX_ROWS));
  return Array.from({ length: count }, (_, i) => list.slice(i * ORDERED_MAX_ROWS, (i + 1) * ORDERED_MAX_ROWS));
}

function nameOf({ pk, sk }: Place): string {
  return `${pk}\n${sk}`;
}

function ignore(): void {}
