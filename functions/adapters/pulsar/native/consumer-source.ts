import { PortError } from '../../../ports/errors.js';
import type { LogEntry, Position } from '../../../ports/log.js';
import { Arrivals } from '../arrivals.js';
import { atMost } from '../at-most.js';
import type { Source } from '../transport.js';
import { type NativeConsumer, type NativeMessage, nativeProblem } from './client.js';
import { watchConnection } from './connection-watch.js';
import { entriesOf, NativeIds } from './message.js';
import type { RecentAppends, RecentByPartition } from './recent-appends.js';

/** Messages that are taken from the client ahead of `next`. */
const AHEAD_MAX = 5_000;
const AHEAD_MAX_BYTES = 16 * 1024 * 1024;
/** After a batch of so many, more are likely to be there already. */
const MANY = 8;
const CLOSE_MAX_MS = 2_000;

interface SourceOptions {
  trim?: (position: Position) => Promise<void>;
  /** Told where its subscription could not be removed with it. */
  left?: () => void;
  /** Where it is told what this process appends to the partition meanwhile. */
  recent?: RecentByPartition;
}

/** A consumer of the native client, many messages a call. */
export class NativeConsumerSource implements Source {
  readonly #partition: string;
  readonly #consumer: NativeConsumer;
  readonly #trim: SourceOptions['trim'];
  readonly #left: SourceOptions['left'];
  readonly #recent: RecentAppends | undefined;
  readonly #forget: () => void;
  readonly #arrivals = new Arrivals(() => this.#taken());
  readonly #unwatch: () => void;
  readonly #ids = new NativeIds();
  #resume: () => void = () => {};
  #isOver = false;

  /** Without `trim` its subscription goes with it. */
  constructor(partition: string, consumer: NativeConsumer, { trim, left, recent }: SourceOptions = {}) {
    this.#partition = partition;
    this.#consumer = consumer;
    this.#trim = trim;
    this.#left = left;
    this.#recent = recent?.open(partition);
    this.#forget = () => this.#recent && recent?.close(partition, this.#recent);
    this.#unwatch = watchConnection(consumer, () => {
      this.#arrivals.end(new PortError('unavailable', `${partition}: the connection to Pulsar is lost`));
    });
    void this.#run();
  }

  next(limit: number): Promise<readonly LogEntry[]> {
    return this.#arrivals.next(limit);
  }

  async acknowledge(position: Position): Promise<void> {
    await this.#trim?.(position);
  }

  async close(): Promise<void> {
    this.#isOver = true;
    this.#forget();
    this.#unwatch();
    this.#resume();
    this.#arrivals.end(new PortError('unavailable', `the consumer of ${this.#partition} is closed`));
    await atMost(CLOSE_MAX_MS, this.#end());
  }

  async #end(): Promise<void> {
    if (this.#trim === undefined) await this.#consumer.unsubscribe().catch(() => this.#left?.());
    await this.#consumer.close();
  }

  /** The client hands out a batch only once it is full or late: so the first message is asked for alone, and waits for none. */
  async #run(): Promise<void> {
    try {
      while (!this.#isOver) {
        // Nothing may be asked of a consumer that was closed meanwhile: it would never answer.
        await this.#room();
        if (this.#isOver) return;
        this.#add([await this.#consumer.receive()]);
        let count = MANY;
        while (count >= MANY && !this.#isOver) {
          const batch = await this.#consumer.batchReceive();
          this.#add(batch);
          count = batch.length;
          await this.#room();
        }
      }
    } catch (error) {
      this.#arrivals.end(nativeProblem(this.#partition, error));
    }
  }

  #add(messages: readonly NativeMessage[]): void {
    for (const entry of entriesOf(messages, this.#partition, this.#ids, this.#recent)) this.#arrivals.add(entry);
  }

  async #room(): Promise<void> {
    if (!this.#isFull || this.#isOver) return;
    await new Promise<void>((resolve) => {
      this.#resume = resolve;
    });
  }

  #taken(): void {
    if (!this.#isFull) this.#resume();
  }

  get #isFull(): boolean {
    return this.#arrivals.count > AHEAD_MAX || this.#arrivals.bytes > AHEAD_MAX_BYTES;
  }
}
