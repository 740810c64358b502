import { PortError } from '../../ports/errors.js';
import type { LogEntry } from '../../ports/log.js';
import type { Environment, Table } from './environment.js';
import { batchPrefix, position } from './positions.js';
import { batchTimeMs, decodeBatch } from './record-batch.js';
import { REMOVAL } from './room.js';

const TOPIC_BYTES = 4;
const NUMBER_BYTES = 6;
/** What is looked at, and removed in one commit, at a time when the log is trimmed; one batch may be larger. */
const TRIM_PAGE_BATCHES = 64;
const TRIM_PAGE_BYTES = 4 * 1024 * 1024;

/** Durable entries of one batch. */
export interface Batch {
  number: number;
  entries: readonly LogEntry[];
  /** As stored. */
  bytes: number;
  /** Read back, rather than kept since it was written. */
  fromDisk: boolean;
}

export interface StoredBatch {
  number: number;
  value: Buffer;
}

interface Range {
  start: Buffer;
  end: Buffer;
  reverse?: boolean;
  limit: number;
}

/**
 * All topics' batches, under topic number (4 bytes) and batch number (6 bytes), and the topics' names. One table for all topics,
 * as LMDB fixes the number of tables when it opens; the topic in front of the key keeps a topic's batches together just as well.
 */
export class BatchTable {
  private readonly batches: Table<Buffer>;
  private readonly topics: Table<string>;

  constructor(private readonly env: Environment) {
    this.batches = env.table<Buffer>('log-batches', 'binary');
    this.topics = env.table<string>('log-topics', 'msgpack');
  }

  topicNames(): { id: number; name: string }[] {
    const rows = this.env.read(() => [...this.topics.getRange({})]);
    return rows.map(({ key, value }) => ({ id: key.readUInt32BE(), name: value }));
  }

  /** Writes a batch and, where `name` is given, its topic's name with it. `value` is not to be changed until this settles. */
  put(topic: number, number: number, value: Buffer, name?: string): Promise<boolean> {
    const key = batchKey(topic, number);
    const start = (): Promise<boolean> => {
      // One commit, one outcome: that of the batch.
      if (name !== undefined) this.topics.put(key.subarray(0, TOPIC_BYTES), name).catch(ignore);
      return this.batches.put(key, value);
    };
    return this.env.write(
      { purpose: 'publication', bytes: value.length },
      start,
      () => this.batches.get(key) !== undefined,
    );
  }

  newest(topic: number): StoredBatch | undefined {
    return this.range({ start: batchKey(topic + 1, 0), end: batchKey(topic, 0), reverse: true, limit: 1 })[0];
  }

  /** The first batch from `number` to `last`, both included. Failed batches leave gaps. */
  next(topic: number, number: number, last: number): StoredBatch | undefined {
    return this.range({ start: batchKey(topic, number), end: batchKey(topic, last + 1), limit: 1 })[0];
  }

  /** Bytes on disk of all topics' batches. */
  bytes(): number {
    const stats = this.env.read(() => this.batches.getStats()) as Record<string, number>;
    const pages = stats.treeBranchPageCount! + stats.treeLeafPageCount! + stats.overflowPages!;
    return pages * stats.pageSize!;
  }

  /** The topic's oldest batches before `before`, a few. */
  oldest(topic: number, before: number): StoredBatch[] {
    const limit = TRIM_PAGE_BATCHES;
    return this.range({ start: batchKey(topic, 0), end: batchKey(topic, before), limit }, TRIM_PAGE_BYTES);
  }

  remove(topic: number, number: number): Promise<boolean> {
    return this.env.write(REMOVAL, () => this.batches.remove(batchKey(topic, number)));
  }

  private range(options: Range, maxBytes = Number.POSITIVE_INFINITY): StoredBatch[] {
    return this.env.read(() => {
      const found: StoredBatch[] = [];
      let bytes = 0;
      for (const { key, value } of this.batches.getRange(options)) {
        found.push({ number: key.readUIntBE(TOPIC_BYTES, NUMBER_BYTES), value });
        bytes += value.length;
        if (bytes >= maxBytes) break;
      }
      return found;
    });
  }
}

export function decodeStored(partition: string, { number, value }: StoredBatch): Batch {
  const prefix = batchPrefix(number);
  try {
    const { appendedAtMs, records } = decodeBatch(value);
    const entries = records.map((record, index) => ({
      partition,
      position: position(prefix, index),
      appendedAtMs,
      record,
    }));
    return { number, entries, bytes: value.length, fromDisk: true };
  } catch (error) {
    throw new PortError('unavailable', `${partition} is damaged at ${prefix}`, { cause: error });
  }
}

/** The number of the first batch whose time is `sinceMs` or later: times never go back. `last + 1` where there is none. */
export function firstBatchSince(table: BatchTable, topic: number, last: number, sinceMs: number): number {
  let low = 1;
  let high = last + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const stored = table.next(topic, middle, last);
    if (stored === undefined || batchTimeMs(stored.value) >= sinceMs) high = middle;
    else low = stored.number + 1;
  }
  return low;
}

function batchKey(topic: number, number: number): Buffer {
  const key = Buffer.allocUnsafe(TOPIC_BYTES + NUMBER_BYTES);
  key.writeUInt32BE(topic);
  key.writeUIntBE(number, TOPIC_BYTES, NUMBER_BYTES);
  return key;
}

function ignore(): void {}
