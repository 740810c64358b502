import type { Batch } from './batch-table.js';

/** Bytes, as stored, of recent batches kept in memory for the readers of all topics. */
export const TAIL_MAX_BYTES = 16 * 1024 * 1024;

/** What all topics' tails may hold together; the oldest batch of any topic goes first. */
export class TailBudget {
  private bytes = 0;
  /** Whose the kept batches are, oldest first from `head` on. */
  private owners: Tail[] = [];
  private head = 0;

  constructor(private readonly maxBytes = TAIL_MAX_BYTES) {}

  tail(): Tail {
    return new Tail((added, owner) => this.take(added, owner));
  }

  private take(added: number, owner: Tail): void {
    this.bytes += added;
    this.owners.push(owner);
    while (this.bytes > this.maxBytes) {
      this.bytes -= this.owners[this.head]!.dropOldest();
      this.head += 1;
    }
    if (this.head > 1024 && this.head * 2 > this.owners.length) {
      this.owners = this.owners.slice(this.head);
      this.head = 0;
    }
  }
}

/** The newest durable batches of one topic, without a gap up to the newest of all. */
export class Tail {
  private batches: Batch[] = [];
  private head = 0;

  constructor(private readonly take: (bytes: number, owner: Tail) => void) {}

  add(batch: Batch): void {
    this.batches.push(batch);
    this.take(batch.bytes, this);
  }

  /** The first batch from `number` on, or undefined where that is older than what is kept. */
  from(number: number): Batch | undefined {
    const oldest = this.batches[this.head];
    if (oldest === undefined || number < oldest.number) return undefined;
    let low = this.head;
    let high = this.batches.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.batches[middle]!.number < number) low = middle + 1;
      else high = middle;
    }
    return this.batches[low];
  }

  /** Returns its bytes. */
  dropOldest(): number {
    const { bytes } = this.batches[this.head]!;
    this.head += 1;
    if (this.head * 2 > this.batches.length) {
      this.batches = this.batches.slice(this.head);
      this.head = 0;
    }
    return bytes;
  }
}
