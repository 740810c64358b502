import type { Bodies } from './bodies.js';
import type { Calls, Item } from './calls.js';
import type { Range } from './keys.js';
import { compareTexts } from './seek.js';

/** Rows that one call of the port returns at most, whatever limit it is given. */
export const ROWS_MAX = 1_000;

/** Read from each of several ranges beyond its share, since they do not hold as many each. */
const SHARE_EXTRA_ROWS = 8;

/**
 * Up to `limit` items of ranges, in order of their sort keys, after one; fewer only where there are no more, however little fits one
 * answer of DynamoDB.
 */
export async function itemsAfter(
  calls: Calls,
  ranges: readonly Range[],
  after: string | null,
  limit: number,
): Promise<Item[]> {
  const wanted = Math.min(limit, ROWS_MAX);
  const merged: Item[] = [];
  const lanes = ranges.map((range) => ({ range, items: [] as Item[], start: after, more: true }));
  while (merged.length < wanted) {
    const left = wanted - merged.length;
    const share = lanes.length === 1 ? left : Math.min(left, Math.ceil(left / lanes.length) + SHARE_EXTRA_ROWS);
    const refill = async (lane: (typeof lanes)[number]): Promise<void> => {
      const { items, more } = await calls.query(lane.range, lane.start, share);
      Object.assign(lane, { items, start: items.at(-1)?.sk?.S ?? null, more: more && items.length > 0 });
    };
    await Promise.all(lanes.filter(({ items, more }) => more && items.length === 0).map(refill));
    const filled = lanes.filter(({ items }) => items.length > 0);
    if (filled.length === 0) break;
    merged.push(
      filled.reduce((least, lane) => (isBefore(lane.items[0]!, least.items[0]!) ? lane : least)).items.shift()!,
    );
  }
  return merged;
}

/** The rows of such items. Of a row that is deleted meanwhile, whoever lists rows until a short answer must still get a next one. */
export async function rowsAfter<T>(
  calls: Calls,
  bodies: Bodies,
  ranges: readonly Range[],
  after: string | null,
  limit: number,
): Promise<{ row: T; item: Item }[]> {
  const rows: { row: T; item: Item }[] = [];
  for (let start = after; rows.length < Math.min(limit, ROWS_MAX); ) {
    const wanted = Math.min(limit, ROWS_MAX) - rows.length;
    const items = await itemsAfter(calls, ranges, start, wanted);
    for (const item of items) {
      const read = await bodies.read<T>(item);
      if (read) rows.push(read);
    }
    if (items.length < wanted) break;
    start = items.at(-1)!.sk!.S!;
  }
  return rows;
}

function isBefore(item: Item, than: Item): boolean {
  return compareTexts(item.sk!.S!, than.sk!.S!) < 0;
}
