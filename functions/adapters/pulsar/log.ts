import { PortError, portErrorCode } from '../../ports/errors.js';
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
} from '../../ports/log.js';
import { atMost } from './at-most.js';
import { Layouts } from './layouts.js';
import { messageIdOf } from './message-id.js';
import { NewestReceipts } from './newest.js';
import type { PulsarSettings } from './options.js';
import { PartitionReader } from './partition-reader.js';
import { sayPolicies } from './policies.js';
import { ProducerPool } from './producer-pool.js';
import { readStretch } from './stretch.js';
import { fullTopicName } from './topic-names.js';
import type { Start, Transport } from './transport.js';
import type { WebService } from './web-service.js';

/** How much earlier than asked `find` begins: the appender's clock may not be quite the log's. */
const FIND_MARGIN_MS = 1_000;
const CLOSE_MAX_MS = 1_000;

export class PulsarLog implements Log {
  readonly #transport: Transport;
  readonly #web: WebService;
  readonly #settings: PulsarSettings;
  readonly #producers: ProducerPool;
  readonly #newest = new NewestReceipts();
  readonly #layouts = new Layouts();
  readonly #readers = new Set<PartitionReader>();
  #policiesSaid: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(transport: Transport, web: WebService, settings: PulsarSettings) {
    this.#transport = transport;
    this.#web = web;
    this.#settings = settings;
    this.#producers = new ProducerPool(transport, settings, (receipt, { key }) => {
      this.#newest.add(receipt);
      return this.#layouts.placed(receipt, key);
    });
  }

  append(topic: string, record: LogRecord): Promise<Receipt> {
    try {
      this.#checkOpen();
      return this.#producers.get(fullTopicName(topic, this.#settings.namespace)).append(record);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async partitions(topic: string, { make = true }: { make?: boolean } = {}): Promise<readonly string[]> {
    this.#checkOpen();
    try {
      const names = await this.#web.partitions(topic, make);
      this.#layouts.learn(names);
      return names;
    } catch (error) {
      const about = { topic, code: portErrorCode(error), error: (error as Error).message };
      if (about.code !== 'unavailable') this.#settings.tell('warn', 'pulsar-topic-refused', about);
      throw error;
    }
  }

  async topics(namespace: string): Promise<readonly string[]> {
    this.#checkOpen();
    return this.#web.topics(namespace);
  }

  async check(): Promise<void> {
    this.#checkOpen();
    await this.#web.checkNamespace(this.#settings.namespace);
    if (this.#policiesSaid === undefined) await this.#checkOthers();
    this.#policiesSaid ??= sayPolicies(this.#web, this.#settings);
    await this.#policiesSaid;
  }

  /** Of those that the routes name, only that they are there: what we may do in them each use tells. */
  async #checkOthers(): Promise<void> {
    for (const namespace of new Set(this.#settings.namespaces)) {
      await this.#web.checkNamespace(namespace).catch((error: unknown) => {
        if (portErrorCode(error) !== 'refused') throw error;
      });
    }
  }

  async forget(partition: string, name: string): Promise<void> {
    this.#checkOpen();
    await this.#web.forget(partition, name);
  }

  async read(partition: string, from: From, options: ReadOptions = {}): Promise<LogReader> {
    this.#checkOpen();
    // The newest at the time of asking, and not Pulsar's `latest`: a reader whose connection is lost before its first
    // entry must begin at the same place again.
    const last = from === 'latest' ? await this.last(partition) : undefined;
    const begin = from !== 'latest' ? from : last === undefined ? 'earliest' : { after: last };
    const reader = await PartitionReader.open(this.#transport, this.#settings, {
      partition,
      ...(await this.#startOf(partition, begin)),
      name: options.name,
      layouts: this.#layouts,
      onClose: (closed) => this.#readers.delete(closed),
    });
    this.#readers.add(reader);
    return reader;
  }

  async history(partition: string, from: HistoryFrom, limit: number): Promise<readonly LogEntry[]> {
    this.#checkOpen();
    const entries: LogEntry[] = [];
    await this.#readUpToLast(partition, from, limit, (page) => entries.push(...page));
    return entries;
  }

  async last(partition: string): Promise<Position | undefined> {
    this.#checkOpen();
    return this.#newest.last(partition, await this.#web.last(partition));
  }

  async find(
    topic: string,
    name: string,
    sought: readonly Sought[],
    { sinceMs, lastMs = sinceMs, isOwn = false }: FindWhen,
  ): Promise<ReadonlyMap<string, Receipt>> {
    this.#checkOpen();
    await this.#producers.drained(fullTopicName(topic, this.#settings.namespace));
    // What another process appended at that time arrives by then, or never.
    const waitMs = lastMs + this.#settings.appendDeadlineMs - Date.now();
    if (waitMs > 0 && !isOwn) await new Promise((resolve) => setTimeout(resolve, waitMs));
    const wanted = new Set(sought.map(({ value }) => value));
    const found = new Map<string, Receipt>();
    const look = (page: readonly LogEntry[]) => {
      for (const { partition, position, layout, record } of page) {
        const value = record.properties[name];
        if (value !== undefined && wanted.has(value)) {
          found.set(value, { partition, position, ...(layout !== undefined && { layout }) });
        }
      }
    };
    const since = { sinceMs: sinceMs - FIND_MARGIN_MS };
    const partitions = await this.partitions(topic, { make: false });
    await Promise.all(
      partitions.map((partition) => this.#readUpToLast(partition, since, Number.POSITIVE_INFINITY, look)),
    );
    return found;
  }

  close(): Promise<void> {
    this.#closing ??= this.#finish();
    return this.#closing;
  }

  async #readUpToLast(
    partition: string,
    from: HistoryFrom,
    limit: number,
    take: (page: readonly LogEntry[]) => void,
  ): Promise<void> {
    const last = await this.last(partition);
    if (last === undefined) return;
    if (typeof from === 'object' && 'after' in from && from.after >= last) return;
    const isTimed = typeof from === 'object' && 'sinceMs' in from;
    const begin = await this.#startOf(partition, from);
    await readStretch({
      partition,
      ...begin,
      last,
      limit,
      ...(isTimed && { sinceMs: from.sinceMs }),
      take: (page) => take(page.map((entry) => this.#layouts.placed(entry, entry.record.key))),
      transport: this.#transport,
      web: this.#web,
    });
  }

  /** All of the entry that holds a position is read again, for it may be a batch; what is not after it is passed over. */
  async #startOf(partition: string, from: HistoryFrom): Promise<{ start: Start; after?: Position }> {
    if (from === 'earliest') return { start: from };
    if ('after' in from) return { start: messageIdOf(from.after), after: from.after };
    return { start: await this.#web.startSince(partition, from.sinceMs) };
  }

  async #finish(): Promise<void> {
    await this.#producers.close();
    await Promise.all([...this.#readers].map((reader) => reader.close()));
    await atMost(CLOSE_MAX_MS, this.#transport.close());
    this.#web.close();
  }

  #checkOpen(): void {
    if (this.#closing) throw new PortError('gone', 'the log is closed');
  }
}
