import type { Bodies } from './bodies.js';
import type { Calls, Item } from './calls.js';
import type { Range } from './keys.js';

/** Rows that one call of the port returns at most, whatever limit it is given. */
export const ROWS_MAX = 1_000;

/** Up to `limit` items of a range after a key; fewer only where there are no more, however little fits one answer of DynamoDB. */
export async function itemsAfter(calls: Calls, range: Range, after: string | null, limit: number): Promise<Item[]> {
  const wanted = Math.min(limit, ROWS_MAX);
  const items: Item[] = [];
  for (let start = after; items.length < wanted; start = items.at(-1)!.sk!.S!) {
    const page = await calls.query(range, start, wanted - items.length);
    items.push(...page.items);
    if (!page.more || page.items.length === 0) break;
  }
  return items;
}

/** The rows of such items. Of a row that is deleted meanwhile, whoever lists rows until a short answer must still get a next one. */
export async function rowsAfter<T>(
  calls: Calls,
  bodies: Bodies,
  range: Range,
  after: string | null,
  limit: number,
): Promise<{ row: T; item: Item }[]> {
  const rows: { row: T; item: Item }[] = [];
  for (let start = after; rows.length < Math.min(limit, ROWS_MAX); ) {
    const wanted = Math.min(limit, ROWS_MAX) - rows.length;
    const items = await itemsAfter(calls, range, start, wanted);
    for (const item of items) {
      const read = await bodies.read<T>(item);
      if (read) rows.push(read);
    }
    if (items.length < wanted) break;
    start = items.at(-1)!.sk!.S!;
  }
  return rows;
}
