import { PortError } from '../../ports/errors.js';
import type { LogEntry, LogReader, Position } from '../../ports/log.js';
import type { Batch } from './batch-table.js';
import { type Place, placeAfter } from './positions.js';
import type { TopicLog } from './topic-log.js';

/** Stored bytes, about, after which a read is content with less than its limit. */
const READ_MAX_BYTES = 1024 * 1024;

interface Waiting {
  limit: number;
  resolve: (entries: readonly LogEntry[]) => void;
  reject: (error: unknown) => void;
}

export class TopicReader implements LogReader {
  readonly partition: string;
  /** The batch being handed out, from `index` on. */
  private current: Batch | undefined;
  private index = 0;
  private nextBatch: number;
  private waiting: Waiting | undefined;
  private unwatch: (() => void) | undefined;
  private closed = false;
  /** Batches before this one will not be read again; undefined: nothing was acknowledged. */
  neededFrom: number | undefined;

  /** Begins at `place`, or at the first entry after it. `onClose` is told once. */
  constructor(
    private readonly topic: TopicLog,
    private readonly place: Place,
    private readonly onClose: (reader: TopicReader) => void,
  ) {
    this.partition = topic.name;
    this.nextBatch = place.batch;
  }

  read(limit: number): Promise<readonly LogEntry[]> {
    return new Promise((resolve, reject) => {
      if (this.closed) throw closed(this.partition);
      if (this.waiting) throw new PortError('conflict', `${this.partition}: one read at a time`);
      this.waiting = { limit: Math.max(1, limit), resolve, reject };
      this.serve();
    });
  }

  async acknowledge(position: Position): Promise<void> {
    this.neededFrom = placeAfter(position).batch;
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.unwatch?.();
    this.waiting?.reject(closed(this.partition));
    this.waiting = undefined;
    this.onClose(this);
  }

  private serve(): void {
    const { waiting } = this;
    if (waiting === undefined) return;
    try {
      const { entries, fromDisk } = this.take(waiting.limit);
      if (entries.length === 0) {
        this.unwatch = this.topic.onDurable(() => this.serve());
      } else if (fromDisk) {
        // A reader that catches up must leave turns of the event loop to others: promises alone do not.
        setImmediate(() => this.answer(entries));
      } else {
        this.answer(entries);
      }
    } catch (error) {
      this.waiting = undefined;
      waiting.reject(error);
    }
  }

  private answer(entries: readonly LogEntry[]): void {
    this.waiting?.resolve(entries);
    this.waiting = undefined;
  }

  /** What is there, now. */
  take(limit: number): { entries: readonly LogEntry[]; fromDisk: boolean } {
    let entries: readonly LogEntry[] = [];
    let joined: LogEntry[] | undefined;
    let bytes = 0;
    let fromDisk = false;
    while (entries.length < limit && bytes < READ_MAX_BYTES) {
      const batch = this.batch();
      if (batch === undefined) break;
      const rest = limit - entries.length;
      const whole = this.index === 0 && batch.entries.length <= rest;
      const part = whole ? batch.entries : batch.entries.slice(this.index, this.index + rest);
      this.index += part.length;
      bytes += batch.bytes;
      fromDisk ||= batch.fromDisk;
      if (entries.length === 0) {
        entries = part;
      } else {
        joined ??= [...entries];
        for (const entry of part) joined.push(entry);
        entries = joined;
      }
    }
    return { entries, fromDisk };
  }

  /** The batch with the next entry. */
  private batch(): Batch | undefined {
    while (this.current === undefined || this.index >= this.current.entries.length) {
      const next = this.topic.batchFrom(this.nextBatch);
      if (next === undefined) return undefined;
      this.current = next;
      this.index = next.number === this.place.batch ? this.place.index : 0;
      this.nextBatch = next.number + 1;
    }
    return this.current;
  }
}

function closed(partition: string): PortError {
  return new PortError('gone', `the reader of ${partition} is closed`);
}
