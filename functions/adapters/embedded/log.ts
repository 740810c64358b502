import { PortError } from '../../ports/errors.js';
import type {
  FindWhen,
  From,
  HistoryFrom,
  Log,
  LogEntry,
  LogReader,
  LogRecord,
  Position,
  Receipt,
  Sought,
} from '../../ports/log.js';
import { BatchTable, decodeStored, firstBatchSince } from './batch-table.js';
import type { Environment } from './environment.js';
import { type Place, placeAfter } from './positions.js';
import { TailBudget } from './tail.js';
import { TopicLog } from './topic-log.js';
import { TopicReader } from './topic-reader.js';
import { type Retention, trimTopic } from './trim.js';

/** How much earlier than asked `find` begins: the appender's clock may not be quite the log's. */
const FIND_MARGIN_MS = 1_000;
/** Stored bytes that `find` looks through before it leaves a turn of the event loop to others. */
const FIND_STRETCH_BYTES = 1024 * 1024;
const TRIM_EVERY_MS = 5_000;
/** Retention by size looks again after so much of it was appended: a fast log is not to outgrow it between two looks. */
const TRIM_EVERY_SHARE = 1 / 16;

export interface EmbeddedLogOptions {
  /** Milliseconds since the epoch. */
  now?: () => number;
  tailMaxBytes?: number;
  /** How much of what every reader has acknowledged is kept for replay; without it, all. */
  retention?: Retention;
}

/**
 * The log on LMDB. A topic is made by its first use and has one partition, named as the topic. A record handed to `append`
 * is not to be changed afterwards: readers get that very object.
 */
export class EmbeddedLog implements Log {
  private readonly table: BatchTable;
  private readonly topicLogs = new Map<string, TopicLog>();
  private readonly readers = new Set<TopicReader>();
  private readonly now: () => number;
  private readonly budget: TailBudget;
  private lastTopicId = 0;
  private closing: Promise<void> | undefined;
  private readonly retention: Retention | undefined;
  private readonly trimTimer: NodeJS.Timeout | undefined;
  private trimming: Promise<void> | undefined;
  private appendedBytes = 0;

  constructor(env: Environment, options: EmbeddedLogOptions = {}) {
    this.now = options.now ?? Date.now;
    this.budget = new TailBudget(options.tailMaxBytes);
    this.table = new BatchTable(env);
    for (const { id, name } of this.table.topicNames()) this.addTopic(id, name, true);
    const { retention } = options;
    this.retention = retention;
    if (retention) this.trimTimer = setInterval(() => void this.trim(retention), TRIM_EVERY_MS).unref();
    // Where the store commits anyway, what was appended in the same turn goes along.
    env.beforeCommit(() => {
      for (const topic of this.topicLogs.values()) topic.flush();
    });
  }

  append(topic: string, record: LogRecord): Promise<Receipt> {
    if (this.closing) return Promise.reject(closed());
    if (this.retention) this.trimInTime(this.retention, record);
    return this.topic(topic).append(record);
  }

  async partitions(topic: string): Promise<readonly string[]> {
    return [this.topic(topic).name];
  }

  async topics(namespace: string): Promise<readonly string[]> {
    const prefix = `persistent://${namespace}/`;
    return [...this.topicLogs.keys()].filter((name) => name.startsWith(prefix));
  }

  async check(): Promise<void> {
    if (this.closing) throw closed();
  }

  async read(partition: string, from: From): Promise<LogReader> {
    const topic = this.topic(partition);
    const reader = new TopicReader(topic, this.placeOf(from, topic), () => this.readers.delete(reader));
    topic.isForgotten = false;
    this.readers.add(reader);
    return reader;
  }

  async history(partition: string, from: HistoryFrom, limit: number): Promise<readonly LogEntry[]> {
    const topic = this.topic(partition);
    return new TopicReader(topic, this.placeOf(from, topic), () => {}).take(limit).entries;
  }

  async last(partition: string): Promise<Position | undefined> {
    return this.topic(partition).lastPosition;
  }

  async find(
    topicName: string,
    name: string,
    sought: readonly Sought[],
    { sinceMs }: FindWhen,
  ): Promise<ReadonlyMap<string, Receipt>> {
    const topic = this.topic(topicName);
    // This process alone has the directory open: an append that can still arrive is one of its own.
    await topic.drained();
    const wanted = new Set(sought.map(({ value }) => value));
    const [only] = wanted.size === 1 ? wanted : [];
    const found = new Map<string, Receipt>();
    const last = topic.lastDurable;
    let bytes = 0;
    let number = firstBatchSince(this.table, topic.id, last, sinceMs - FIND_MARGIN_MS);
    while (found.size < wanted.size) {
      const stored = this.table.next(topic.id, number, last);
      if (stored === undefined) break;
      if (only === undefined || stored.value.includes(only)) {
        for (const { partition, position, record } of decodeStored(topicName, stored).entries) {
          const value = record.properties[name];
          if (value !== undefined && wanted.has(value)) found.set(value, { partition, position });
        }
      }
      number = stored.number + 1;
      bytes += stored.value.length;
      if (bytes > FIND_STRETCH_BYTES) {
        bytes = 0;
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    return found;
  }

  async forget(partition: string): Promise<void> {
    this.topic(partition).isForgotten = true;
  }

  close(): Promise<void> {
    this.closing ??= this.finish();
    return this.closing;
  }

  /**
   * Drops what retention lets go of, in slices that leave turns to others. Done in the background; public so that it can be
   * done now. One at a time.
   */
  trim(retention: Retention): Promise<void> {
    this.trimming ??= this.trimAll(retention).finally(() => {
      this.trimming = undefined;
    });
    return this.trimming;
  }

  private trimInTime(retention: Retention, { payload }: LogRecord): void {
    this.appendedBytes += payload.length;
    if (this.appendedBytes < retention.maxBytes * TRIM_EVERY_SHARE) return;
    this.appendedBytes = 0;
    void this.trim(retention);
  }

  private async trimAll(retention: Retention): Promise<void> {
    for (const topic of this.topicLogs.values()) {
      const needed = [...this.readers].flatMap((reader) =>
        reader.partition === topic.name && reader.neededFrom !== undefined ? [reader.neededFrom] : [],
      );
      if (topic.isForgotten) needed.push(topic.lastDurable + 1);
      // Otherwise nobody has said what is no longer needed.
      if (needed.length > 0) await trimTopic(this.table, topic.id, Math.min(...needed), retention, this.now());
    }
  }

  private async finish(): Promise<void> {
    clearInterval(this.trimTimer);
    await Promise.all([...this.topicLogs.values()].map((topic) => topic.drained()));
    await Promise.all([...this.readers].map((reader) => reader.close()));
  }

  private placeOf(from: From, topic: TopicLog): Place {
    if (from === 'earliest') return { batch: 1, index: 0 };
    if (from === 'latest') return { batch: topic.lastDurable + 1, index: 0 };
    if ('after' in from) return placeAfter(from.after);
    return { batch: firstBatchSince(this.table, topic.id, topic.lastDurable, from.sinceMs), index: 0 };
  }

  private topic(name: string): TopicLog {
    if (this.closing) throw closed();
    return this.topicLogs.get(name) ?? this.addTopic(this.lastTopicId + 1, name, false);
  }

  private addTopic(id: number, name: string, named: boolean): TopicLog {
    const topic = new TopicLog(name, id, named, this.table, this.now, this.budget);
    this.topicLogs.set(name, topic);
    this.lastTopicId = Math.max(this.lastTopicId, id);
    return topic;
  }
}

function closed(): PortError {
  return new PortError('gone', 'the log is closed');
}
