import type { LogRecord, Position } from '../../../ports/log.js';

const RECORDS_MAX = 4_096;
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * Records of one partition that this process appended and has not read yet, the newest of them. Where in the log they are, and
 * that they are there, is for Pulsar to say: but what comes back by a consumer need not be taken out of the native client
 * again, which costs more than all that is done with it.
 */
export class RecentAppends {
  /** The oldest first. */
  readonly #records = new Map<Position, LogRecord>();
  #bytes = 0;

  add(position: Position, { key, payload, properties }: LogRecord): void {
    // A copy: what came over a socket is part of something larger, and a slow client may make this stay for long.
    this.#records.set(position, { key, payload: Buffer.from(payload), properties });
    this.#bytes += payload.length;
    if (this.#records.size > RECORDS_MAX || this.#bytes > MAX_BYTES) this.#dropOldest();
  }

  /** What is at this position, once. */
  take(position: Position): LogRecord | undefined {
    const record = this.#records.get(position);
    if (record === undefined) return undefined;
    this.#records.delete(position);
    this.#bytes -= record.payload.length;
    return record;
  }

  #dropOldest(): void {
    for (const position of this.#records.keys()) {
      this.take(position);
      if (this.#records.size <= RECORDS_MAX && this.#bytes <= MAX_BYTES) return;
    }
  }
}

/** Those of all partitions that are read. */
export class RecentByPartition {
  readonly #read = new Map<string, RecentAppends>();

  /** A reader begins; one of a partition at a time. */
  open(partition: string): RecentAppends {
    const recent = new RecentAppends();
    this.#read.set(partition, recent);
    return recent;
  }

  close(partition: string, recent: RecentAppends): void {
    if (this.#read.get(partition) === recent) this.#read.delete(partition);
  }

  /** Undefined where the partition is not read here. */
  of(partition: string): RecentAppends | undefined {
    return this.#read.get(partition);
  }
}
