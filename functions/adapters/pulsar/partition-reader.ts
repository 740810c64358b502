import { PortError } from '../../ports/errors.js';
import type { LogEntry, LogReader, Position } from '../../ports/log.js';
import { BackOff } from './back-off.js';
import { isPartition, type Layouts } from './layouts.js';
import { messageIdOf } from './message-id.js';
import type { PulsarSettings } from './options.js';
import type { Source, Start, Transport } from './transport.js';

export interface ReaderOptions {
  partition: string;
  start: Start;
  /** Up to here nothing is handed out. */
  after?: Position | undefined;
  name?: string | undefined;
  layouts: Layouts;
  onClose: (reader: PartitionReader) => void;
}

/** Reads a partition over whatever connection there is: a lost one is replaced by another that begins after what came last. */
export class PartitionReader implements LogReader {
  readonly partition: string;
  readonly #transport: Transport;
  readonly #settings: PulsarSettings;
  readonly #options: ReaderOptions;
  readonly #backOff = new BackOff();
  #source: Source | undefined;
  /** The newest that was handed out, or was to be passed over. */
  #last: Position | undefined;
  #lastMs = 0;
  #reading = false;
  readonly #isPartitioned: boolean;
  #closed = false;
  #onClosed: () => void = () => {};

  /** Resolves when the first connection stands: what is appended from then on is not missed. */
  static async open(transport: Transport, settings: PulsarSettings, options: ReaderOptions): Promise<PartitionReader> {
    const { partition, start, name } = options;
    return new PartitionReader(transport, settings, options, await transport.openSource(partition, start, name));
  }

  private constructor(transport: Transport, settings: PulsarSettings, options: ReaderOptions, source: Source) {
    this.partition = options.partition;
    this.#transport = transport;
    this.#settings = settings;
    this.#options = options;
    this.#source = source;
    this.#last = options.after;
    this.#isPartitioned = isPartition(options.partition);
  }

  async read(limit: number): Promise<readonly LogEntry[]> {
    if (this.#closed) throw closed(this.partition);
    if (this.#reading) throw new PortError('conflict', `${this.partition}: one read at a time`);
    this.#reading = true;
    try {
      const closing = new Promise<never>((_, reject) => {
        this.#onClosed = () => reject(closed(this.partition));
      });
      return await Promise.race([this.#next(Math.max(1, limit)), closing]);
    } finally {
      this.#reading = false;
    }
  }

  async acknowledge(position: Position): Promise<void> {
    await this.#source?.acknowledge(position);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#onClosed();
    this.#options.onClose(this);
    await this.#source?.close();
  }

  async #next(limit: number): Promise<readonly LogEntry[]> {
    for (;;) {
      const source = this.#source ?? (await this.#reopen());
      try {
        const fresh = this.#fresh(await source.next(limit));
        if (fresh.length > 0) return fresh;
      } catch (error) {
        if (this.#closed) throw closed(this.partition);
        this.#settings.tell('warn', 'pulsar-reader-lost', { partition: this.partition, error: String(error) });
        this.#source = undefined;
        await source.close();
      }
    }
  }

  async #reopen(): Promise<Source> {
    const { start, name } = this.#options;
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, this.#backOff.next()));
      if (this.#closed) throw closed(this.partition);
      const from = this.#last === undefined ? start : messageIdOf(this.#last);
      try {
        const source = await this.#transport.openSource(this.partition, from, name);
        this.#backOff.reset();
        if (!this.#closed) {
          this.#source = source;
          return source;
        }
        await source.close();
      } catch (error) {
        this.#settings.tell('warn', 'pulsar-reader-failed', { partition: this.partition, error: String(error) });
      }
    }
  }

  /** What was not handed out yet. Publishers' clocks differ: times are kept from going back. */
  #fresh(entries: readonly LogEntry[]): readonly LogEntry[] {
    const last = this.#last;
    const fresh =
      last === undefined || entries[0]!.position > last ? entries : entries.filter((e) => e.position > last);
    for (const entry of fresh) {
      if (entry.appendedAtMs < this.#lastMs) entry.appendedAtMs = this.#lastMs;
      this.#lastMs = entry.appendedAtMs;
    }
    this.#last = fresh.at(-1)?.position ?? last;
    return this.#isPartitioned ? fresh.map((entry) => this.#options.layouts.placed(entry, entry.record.key)) : fresh;
  }
}

function closed(partition: string): PortError {
  return new PortError('gone', `the reader of ${partition} is closed`);
}
