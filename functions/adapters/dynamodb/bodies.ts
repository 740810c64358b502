import { BatchGetItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { PortError } from '../../ports/errors.js';
import type { BatchWriter } from './batch-writer.js';
import { type Calls, type Item, keyOf, Leftovers, n, placeOf, writeId } from './calls.js';
import { clearRange } from './clear-range.js';
import { type Place, partKey, partsBefore } from './keys.js';
import { decodeRow, encodeRow } from './row-codec.js';
import { VERSION } from './row-version.js';

/** What of a row fits its item: DynamoDB's bound is 400 KB, and keys, conditions' attributes and a topic of 64 KB come on top. */
export const INLINE_MAX_BYTES = 300_000;
/** Over this a row is refused as `too-large`. */
export const ROW_MAX_BYTES = 64 * 1024 * 1024;
/** A part that no row names may belong to a write that is still under way for as long. */
export const PART_DOUBT_MS = 3_600_000;
/** DynamoDB's own limit of a batch of gets. */
const GETS_MAX = 100;
/** How often a row is read whose parts were replaced while it was read. */
const READS_MAX = 5;

/** A body in parts: who wrote it and how many there are. */
export interface Parts {
  id: string;
  count: number;
}

/**
 * Rows as items. A row of up to 300,000 bytes is in its item (`row` is JSON, `bytes` what it holds of bytes); of a longer one the item
 * names parts, items of their own. Parts are written first, then the item that names them, then the parts that it named before are
 * deleted: whoever reads the item in between finds either. A crash in between leaves parts that nobody names and nobody reads; the next
 * long write to the row removes those that are an hour old.
 */
export class Bodies {
  constructor(
    private readonly client: DynamoDBClient,
    private readonly calls: Calls,
    private readonly writer: BatchWriter,
    private readonly now: () => number = Date.now,
  ) {}

  /** The item for a row, its parts written. `id` names this write. */
  async item(place: Place, row: unknown, attributes: Item = {}): Promise<{ item: Item; bytes: number }> {
    const { json, bytes } = encodeRow(row);
    const id = writeId(this.now());
    const head = { ...keyOf(place), ...VERSION, ...attributes, id: { S: id } };
    const length = Buffer.byteLength(json) + bytes.length;
    if (length > ROW_MAX_BYTES) throw new PortError('too-large', `a row of ${length} bytes, over ${ROW_MAX_BYTES}`);
    if (length <= INLINE_MAX_BYTES) {
      const body = bytes.length === 0 ? {} : { bytes: { B: bytes } };
      return { item: { ...head, row: { S: json }, ...body }, bytes: length };
    }
    const start = Buffer.from(json);
    const whole = Buffer.concat([start, bytes]);
    const count = Math.ceil(length / INLINE_MAX_BYTES);
    await this.writer.write(
      Array.from({ length: count }, (_, index) => {
        const part = partKey(place, id, index);
        const body = whole.subarray(index * INLINE_MAX_BYTES, (index + 1) * INLINE_MAX_BYTES);
        return { place: part, item: { ...keyOf(part), body: { B: body } }, bytes: body.length };
      }),
    );
    return { item: { ...head, parts: n(count), jsonBytes: n(start.length) }, bytes: 0 };
  }

  /** The row of an item, and the item: another one where it was replaced meanwhile. Undefined where it was deleted meanwhile. */
  async read<T>(item: Item): Promise<{ row: T; item: Item } | undefined> {
    for (let there: Item | undefined = item, made = 1; there; there = await this.calls.get(placeOf(item)), made += 1) {
      const row = await this.#decode<T>(there);
      if (row !== undefined) return { row, item: there };
      if (made >= READS_MAX) throw new PortError('unavailable', `${placeOf(item).pk}: parts of a row are missing`);
    }
    return undefined;
  }

  /** After `item` has replaced or deleted `old`: removes what parts nobody names. Its failure does no harm. */
  async tidy(place: Place, item: Item | undefined, old: Item | undefined): Promise<void> {
    const before = old && partsNamed(old);
    const after = item && partsNamed(item);
    try {
      if (before) await this.removeParts(place, before);
      if (after) await clearRange(this.calls, this.writer, partsBefore(place, writeId(this.now() - PART_DOUBT_MS)));
    } catch {
      // The next long write to this row, or its client's end, tries again.
    }
  }

  removeParts(place: Place, { id, count }: Parts): Promise<void> {
    return this.writer.remove(Array.from({ length: count }, (_, index) => partKey(place, id, index)));
  }

  async #decode<T>(item: Item): Promise<T | undefined> {
    const parts = partsNamed(item);
    if (!parts) return decodeRow<T>({ json: item.row!.S!, bytes: item.bytes?.B ?? new Uint8Array() });
    const place = placeOf(item);
    const bodies = await this.#bodies(
      Array.from({ length: parts.count }, (_, index) => partKey(place, parts.id, index)),
    );
    if (bodies === undefined) return undefined;
    const whole = Buffer.concat(bodies);
    const jsonBytes = Number(item.jsonBytes!.N);
    return decodeRow<T>({ json: whole.toString('utf8', 0, jsonBytes), bytes: whole.subarray(jsonBytes) });
  }

  /** In the order of the places; undefined where one is missing. */
  async #bodies(places: readonly Place[]): Promise<Uint8Array[] | undefined> {
    const found = new Map<string, Uint8Array>();
    for (let at = 0; at < places.length; at += GETS_MAX) {
      let keys = places.slice(at, at + GETS_MAX).map(keyOf);
      const leftovers = new Leftovers(this.calls);
      while (keys.length > 0) {
        const RequestItems = { [this.calls.table]: { Keys: keys, ConsistentRead: true } };
        const command = new BatchGetItemCommand({ RequestItems });
        const answer = await this.calls.send(() => this.client.send(command));
        const items: Item[] = answer.Responses?.[this.calls.table] ?? [];
        for (const { sk, body } of items) found.set(sk!.S!, body!.B!);
        keys = (answer.UnprocessedKeys?.[this.calls.table]?.Keys as Item[] | undefined) ?? [];
        // Some 16 MB come at once, whatever is asked for.
        if (keys.length > 0) await leftovers.wait(items.length > 0);
      }
    }
    const bodies = places.map(({ sk }) => found.get(sk));
    return bodies.every((body) => body !== undefined) ? bodies : undefined;
  }
}

/** Of an item whose body is in parts. */
export function partsNamed(item: Item): Parts | undefined {
  return item.parts === undefined ? undefined : { id: item.id!.S!, count: Number(item.parts.N) };
}
