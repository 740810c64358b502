import type { BatchWriter } from './batch-writer.js';
import { type Calls, placeOf } from './calls.js';
import type { Range } from './keys.js';

/** Removed at once, in batches of 25: a long queue leaves most connections to others. Of long items a query gets through a few only. */
const PAGE_KEYS = 250;

/** Removes all items of a range. */
export async function clearRange(calls: Calls, writer: BatchWriter, range: Range): Promise<void> {
  for (;;) {
    const { items, more } = await calls.query(range, null, PAGE_KEYS, true);
    await writer.remove(items.map(placeOf));
    if (!more) return;
  }
}
