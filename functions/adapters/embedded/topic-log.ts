import { PortError } from '../../ports/errors.js';
import type { LogRecord, Receipt } from '../../ports/log.js';
import { type Batch, type BatchTable, decodeStored } from './batch-table.js';
import { BATCH_RECORDS_MAX, batchPrefix, position } from './positions.js';
import { BatchWriter, batchTimeMs } from './record-batch.js';
import type { Tail, TailBudget } from './tail.js';

/** Bytes of payload, key and properties; above it `too-large`. */
export const RECORD_MAX_BYTES = 16 * 1024 * 1024;
/** A batch that would grow over this is closed; one record alone may be larger. */
const BATCH_MAX_BYTES = 8 * 1024 * 1024;
/**
 * Batches handed to LMDB and not flushed. While one waits for the disk the next is being written; with more than two
 * batches only get smaller. What is appended meanwhile joins the batch after them: group commit.
 */
const IN_FLIGHT_MAX = 2;

/** Records waiting for one commit, and who waits for them. */
interface Draft {
  writer: BatchWriter;
  records: LogRecord[];
  resolvers: ((receipt: Receipt) => void)[];
  rejecters: ((error: unknown) => void)[];
  /** Told when it is settled, one way or the other. */
  settled: (() => void)[];
}

interface InFlight {
  draft: Draft;
  number: number;
  appendedAtMs: number;
  outcome: 'pending' | 'durable' | { error: unknown };
}

/** One topic, which is one partition: appends on their way to disk, and what has got there. */
export class TopicLog {
  /** Number of the newest durable batch; 0 where there is none. */
  lastDurable = 0;
  /** Position of the newest durable entry. */
  lastPosition: string | undefined;
  /** Nobody reads it, nor will from where it is now. */
  isForgotten = false;
  private lastNumber = 0;
  private lastTimeMs = 0;
  private open: Draft | undefined;
  private readonly full: Draft[] = [];
  private readonly inFlight: InFlight[] = [];
  private readonly spareWriters: BatchWriter[] = [];
  private readonly tail: Tail;
  private readonly watchers = new Set<() => void>();
  private scheduled = false;

  constructor(
    readonly name: string,
    readonly id: number,
    private named: boolean,
    readonly table: BatchTable,
    private readonly now: () => number,
    budget: TailBudget,
  ) {
    this.tail = budget.tail();
    const newest = named ? table.newest(id) : undefined;
    if (newest) {
      const { entries } = decodeStored(name, newest);
      this.lastNumber = newest.number;
      this.lastDurable = newest.number;
      this.lastTimeMs = batchTimeMs(newest.value);
      this.lastPosition = entries.at(-1)?.position;
    }
  }

  append(record: LogRecord): Promise<Receipt> {
    return new Promise((resolve, reject) => {
      if (record.payload.length > RECORD_MAX_BYTES) throw tooLarge();
      if (this.open && this.open.writer.bytes + record.payload.length > BATCH_MAX_BYTES) this.seal(this.open);
      this.open ??= this.newDraft();
      const draft = this.open;
      const bytes = draft.writer.add(record);
      if (bytes > RECORD_MAX_BYTES) {
        draft.writer.undo(bytes);
        throw tooLarge();
      }
      draft.records.push(record);
      draft.resolvers.push(resolve);
      draft.rejecters.push(reject);
      if (draft.records.length === BATCH_RECORDS_MAX) this.seal(draft);
      this.schedule();
    });
  }

  /** Hands to LMDB what was appended, as far as not too much is on its way already. */
  flush(): void {
    while (this.inFlight.length < IN_FLIGHT_MAX) {
      const draft = this.full.shift() ?? this.open;
      if (draft === undefined || draft.records.length === 0) return;
      if (draft === this.open) this.open = undefined;
      this.write(draft);
    }
  }

  /** Resolves when all that was appended before is settled. */
  drained(): Promise<void> {
    const last = (this.open?.records.length ? this.open : this.full.at(-1)) ?? this.inFlight.at(-1)?.draft;
    return last ? new Promise((resolve) => last.settled.push(resolve)) : Promise.resolve();
  }

  /** The first durable batch from `number` on. */
  batchFrom(number: number): Batch | undefined {
    if (number > this.lastDurable) return undefined;
    const kept = this.tail.from(number);
    if (kept) return kept;
    const stored = this.table.next(this.id, number, this.lastDurable);
    return stored && decodeStored(this.name, stored);
  }

  /** Calls `run` once, after the next batch is durable. The returned function takes that back. */
  onDurable(run: () => void): () => void {
    this.watchers.add(run);
    return () => this.watchers.delete(run);
  }

  private schedule(): void {
    if (this.scheduled || this.inFlight.length >= IN_FLIGHT_MAX) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.flush();
    });
  }

  private write(draft: Draft): void {
    this.lastNumber += 1;
    // A clock set back must not break the order of times that `find` searches by.
    this.lastTimeMs = Math.max(this.lastTimeMs, this.now());
    const batch: InFlight = { draft, number: this.lastNumber, appendedAtMs: this.lastTimeMs, outcome: 'pending' };
    this.inFlight.push(batch);
    const settle = (outcome: InFlight['outcome']): void => {
      batch.outcome = outcome;
      this.settle();
    };
    const value = draft.writer.finish(batch.appendedAtMs);
    this.table.put(this.id, batch.number, value, this.named ? undefined : this.name).then(
      () => settle('durable'),
      (error: unknown) => settle({ error }),
    );
  }

  /** Writing threads may finish in another order than they began; the outside sees the order of the batches. */
  private settle(): void {
    for (let first = this.inFlight[0]; first && first.outcome !== 'pending'; first = this.inFlight[0]) {
      this.inFlight.shift();
      if (first.outcome === 'durable') this.acknowledge(first);
      else for (const reject of first.draft.rejecters) reject(first.outcome.error);
      for (const tell of first.draft.settled) tell();
      first.draft.writer.reset();
      if (this.spareWriters.length < IN_FLIGHT_MAX) this.spareWriters.push(first.draft.writer);
    }
    this.flush();
  }

  private acknowledge({ draft, number, appendedAtMs }: InFlight): void {
    const prefix = batchPrefix(number);
    const partition = this.name;
    const { records, resolvers } = draft;
    const entries = records.map((record, index) => {
      const entry = { partition, position: position(prefix, index), appendedAtMs, record };
      resolvers[index]!({ partition, position: entry.position });
      return entry;
    });
    this.named = true;
    this.lastDurable = number;
    this.lastPosition = entries.at(-1)!.position;
    this.tail.add({ number, entries, bytes: draft.writer.bytes, fromDisk: false });
    const watchers = [...this.watchers];
    this.watchers.clear();
    for (const run of watchers) run();
  }

  private seal(draft: Draft): void {
    this.full.push(draft);
    this.open = undefined;
  }

  private newDraft(): Draft {
    const writer = this.spareWriters.pop() ?? new BatchWriter();
    return { writer, records: [], resolvers: [], rejecters: [], settled: [] };
  }
}

function tooLarge(): PortError {
  return new PortError('too-large', `a record may have ${RECORD_MAX_BYTES} bytes`);
}
