import type { BatchWriter } from './batch-writer.js';
import { type Calls, placeOf } from './calls.js';
import type { Range } from './keys.js';

/** Keys read at once; of long items a query gets through a few only. */
const PAGE_KEYS = 1_000;

/** Removes all items of a range. */
export async function clearRange(calls: Calls, writer: BatchWriter, range: Range): Promise<void> {
  for (;;) {
    const { items, more } = await calls.query(range, null, PAGE_KEYS, true);
    await writer.remove(items.map(placeOf));
    if (!more) return;
  }
}
