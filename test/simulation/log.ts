import { PortError } from '../../functions/ports/errors.js';
import type {
  FindWhen,
  From,
  HistoryFrom,
  Log,
  LogEntry,
  LogReader,
  LogRecord,
  Position,
  ReadOptions,
  Receipt,
  Sought,
} from '../../functions/ports/log.js';
import { keyHash } from '../../functions/topics/key-hash.js';
import type { Storage } from './disk.js';

const POSITION_DIGITS = 12;

export interface KeptEntry extends LogEntry {
  /** What `step` said when it was handed over. */
  step: number;
}

interface Partition {
  entries: KeptEntry[];
  /** The first so many are durable. */
  durable: number;
  readers: Set<SimulatedReader>;
  /** When the last of them was closed. */
  closedAtMs: number;
}

/** What outlives a crash. */
export class LogData {
  readonly partitions = new Map<string, Partition>();
  /** Greatest position acknowledged, by partition. */
  readonly acknowledged = new Map<string, Position>();

  /** A process that has crashed reads no more; left out: all of them. */
  forgetReaders(of?: Storage): void {
    for (const { readers } of this.partitions.values()) {
      for (const reader of readers) if (of === undefined || reader.disk === of) readers.delete(reader);
    }
  }

  of(name: string): Partition {
    let partition = this.partitions.get(name);
    if (partition === undefined) {
      partition = { entries: [], durable: 0, readers: new Set(), closedAtMs: 0 };
      this.partitions.set(name, partition);
    }
    return partition;
  }
}

const POSITION = /^\d*$/;

export interface LogOptions {
  partitions: number;
  nowMs: () => number;
  step: () => number;
  recordMaxBytes: number;
  /** How long after an append was asked for it may arrive, and the way to wait; left out: it arrives in its turn. */
  late?: { maxMs: number; wait: (ms: number) => Promise<void> };
}

/** The log as one process has it open. */
export class SimulatedLog implements Log {
  #closed = false;

  constructor(
    private readonly disk: Storage,
    private readonly data: LogData,
    private readonly options: LogOptions,
  ) {}

  append(topic: string, record: LogRecord): Promise<Receipt> {
    if (this.#closed) return Promise.reject(gone());
    if (record.payload.length > this.options.recordMaxBytes) {
      return Promise.reject(new PortError('too-large', 'over the limit of this log'));
    }
    const name = this.#partitionOf(topic, record.key);
    const step = this.options.step();
    return this.disk.write(name, `append ${record.key} ${nameOf(record)}`, () => {
      const partition = this.data.of(name);
      const { entries } = partition;
      const position = String(entries.length + 1).padStart(POSITION_DIGITS, '0');
      const appendedAtMs = Math.max(this.options.nowMs(), entries.at(-1)?.appendedAtMs ?? 0);
      entries.push({ partition: name, position, appendedAtMs, record, step });
      return {
        value: { partition: name, position },
        undo: () => entries.pop(),
        flushed: () => {
          partition.durable += 1;
          for (const reader of partition.readers) reader.wake();
        },
      };
    });
  }

  async partitions(topic: string): Promise<readonly string[]> {
    return Array.from({ length: this.options.partitions }, (_, i) => `${topic}-${i}`);
  }

  async topics(): Promise<readonly string[]> {
    return [];
  }

  async check(): Promise<void> {
    if (this.#closed) throw gone();
  }

  async forget(name: string): Promise<void> {
    this.data.acknowledged.delete(name);
  }

  async read(name: string, from: From, { name: who }: ReadOptions = {}): Promise<LogReader> {
    if (this.#closed) throw gone();
    const partition = this.data.of(name);
    if (typeof from === 'object' && 'after' in from && !POSITION.test(from.after)) {
      throw new PortError('refused', `not a position of this log: ${from.after}`);
    }
    const next = from === 'latest' ? partition.durable : countBefore(partition.entries, from);
    const reader = new SimulatedReader(name, who, partition, next, this.disk, this.data, this.options.nowMs);
    partition.readers.add(reader);
    return reader;
  }

  async last(name: string): Promise<Position | undefined> {
    const partition = this.data.of(name);
    return partition.entries[partition.durable - 1]?.position;
  }

  async history(name: string, from: HistoryFrom, limit: number): Promise<readonly LogEntry[]> {
    const { entries, durable } = this.data.of(name);
    return entries.slice(0, durable).slice(countBefore(entries, from)).slice(0, limit);
  }

  /** Its turn comes after every append of the partitions that was handed over before. */
  async find(
    topic: string,
    name: string,
    sought: readonly Sought[],
    { sinceMs, lastMs = sinceMs, isOwn = false }: FindWhen,
  ): Promise<ReadonlyMap<string, Receipt>> {
    const { late, nowMs } = this.options;
    if (late !== undefined && !isOwn) await late.wait(Math.max(0, lastMs + late.maxMs - nowMs()));
    const found = new Map<string, Receipt>();
    const lanesOf = async ({ key }: Sought) =>
      key === undefined ? this.partitions(topic) : [this.#partitionOf(topic, key)];
    const lanes = new Set((await Promise.all(sought.map(lanesOf))).flat());
    for (const lane of lanes) {
      await this.disk.write(lane, `find ${sought.map(({ value }) => value).join()}`, () => {
        for (const { position, record, appendedAtMs } of this.data.of(lane).entries) {
          const isIt = sought.some(
            ({ key = record.key, value }) => record.key === key && record.properties[name] === value,
          );
          if (isIt && appendedAtMs >= sinceMs)
            found.set(record.properties[name] as string, { partition: lane, position });
        }
        return { value: undefined };
      });
    }
    return found;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.disk.idle();
    for (const { readers } of this.data.partitions.values()) {
      for (const reader of [...readers]) if (reader.disk === this.disk) await reader.close();
    }
  }

  #partitionOf(topic: string, key: string): string {
    return `${topic}-${keyHash(key) % this.options.partitions}`;
  }
}

class SimulatedReader implements LogReader {
  #waiting: { limit: number; resolve: (entries: LogEntry[]) => void; reject: (error: unknown) => void } | null = null;
  #closed = false;
  #answering = false;

  constructor(
    readonly partition: string,
    readonly who: string | undefined,
    private readonly source: Partition,
    private next: number,
    readonly disk: Storage,
    private readonly data: LogData,
    private readonly nowMs: () => number,
  ) {}

  read(limit: number): Promise<readonly LogEntry[]> {
    if (this.#closed) return Promise.reject(gone());
    if (this.#waiting !== null) return Promise.reject(new PortError('conflict', 'one read at a time'));
    return new Promise((resolve, reject) => {
      this.#waiting = { limit, resolve, reject };
      this.wake();
    });
  }

  /** Something is durable that was not. */
  wake(): void {
    if (this.#waiting === null || this.#answering || this.next >= this.source.durable) return;
    this.#answering = true;
    this.disk.look(() => {
      this.#answering = false;
      const waiting = this.#waiting;
      if (waiting === null) return;
      this.#waiting = null;
      const entries = this.source.entries.slice(this.next, Math.min(this.source.durable, this.next + waiting.limit));
      this.next += entries.length;
      waiting.resolve(entries);
    });
  }

  async acknowledge(position: Position): Promise<void> {
    if (position > (this.data.acknowledged.get(this.partition) ?? '')) {
      this.data.acknowledged.set(this.partition, position);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.source.readers.delete(this);
    this.source.closedAtMs = this.nowMs();
    this.#waiting?.reject(gone());
    this.#waiting = null;
  }
}

function countBefore(entries: readonly LogEntry[], from: HistoryFrom): number {
  if (from === 'earliest') return 0;
  const found = entries.findIndex(({ position, appendedAtMs }) =>
    'after' in from ? position > from.after : appendedAtMs >= from.sinceMs,
  );
  return found === -1 ? entries.length : found;
}

function nameOf(record: LogRecord): string {
  return record.payload.length <= 32 ? new TextDecoder().decode(record.payload) : `${record.payload.length} bytes`;
}

function gone(): PortError {
  return new PortError('gone', 'the simulated log is closed');
}
