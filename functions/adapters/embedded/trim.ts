import { PortError } from '../../ports/errors.js';
import type { BatchTable } from './batch-table.js';
import { batchTimeMs } from './record-batch.js';

/** What is older, or beyond the size, may go; the oldest first. */
export interface Retention {
  maxAgeMs: number;
  /** Of the log on disk, all topics together. */
  maxBytes: number;
}

/** Removes a topic's batches before `before` that retention does not keep. A write that fails is left to the next time. */
export async function trimTopic(
  table: BatchTable,
  topic: number,
  before: number,
  retention: Retention,
  now: number,
): Promise<void> {
  try {
    for (;;) {
      let excess = table.bytes() - retention.maxBytes;
      const going = table.oldest(topic, before).filter(({ value }) => {
        const goes = excess > 0 || now - batchTimeMs(value) > retention.maxAgeMs;
        excess -= value.length;
        return goes;
      });
      if (going.length === 0) return;
      await Promise.all(going.map(({ number }) => table.remove(topic, number)));
    }
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
  }
}
