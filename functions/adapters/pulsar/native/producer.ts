import { PortError } from '../../../ports/errors.js';
import type { LogRecord } from '../../../ports/log.js';
import { keyHash } from '../../../topics/key-hash.js';
import type { Outcome, TransportProducer } from '../transport.js';
import { type NativeProducer, nativeProblem } from './client.js';
import type { NativeReceipts } from './receipts.js';

export interface NativePartition {
  producer: NativeProducer;
  receipts: NativeReceipts;
}

/** Partitions may be added to a topic at any time. */
const LOOK_EVERY_MS = 10_000;

/**
 * Producers of the native client, one for each partition, which connect again by themselves and then send what has no
 * receipt, in order. The client is not left to choose the partition: its `JavaStringHash` goes over the bytes of UTF-8 and
 * so is Java's for ASCII alone.
 */
export class NativeTopicProducer implements TransportProducer {
  readonly #topic: string;
  #partitions: readonly NativePartition[];
  readonly #messageMaxBytes: number;
  readonly #onLost: () => void;
  readonly #looking: NodeJS.Timeout;
  /** Those that were given something in this turn of the event loop. */
  readonly #unsent = new Set<NativeProducer>();
  #isOver = false;

  /** `look` gives the partitions that have been added behind the `count` that are known. */
  constructor(
    topic: string,
    partitions: readonly NativePartition[],
    messageMaxBytes: number,
    look: (count: number) => Promise<readonly NativePartition[]>,
    onLost: () => void,
  ) {
    this.#topic = topic;
    this.#partitions = partitions;
    this.#messageMaxBytes = messageMaxBytes;
    this.#onLost = onLost;
    this.#looking = setInterval(() => void this.#grow(look), LOOK_EVERY_MS).unref();
  }

  send(record: LogRecord, outcome: Outcome): void {
    const { key, payload, properties } = record;
    if (payload.length > this.#messageMaxBytes) {
      const problem = `${this.#topic}: Pulsar takes a message of ${this.#messageMaxBytes} bytes`;
      return queueMicrotask(() => outcome.failed(new PortError('too-large', problem)));
    }
    const { producer, receipts } = this.#partitions[keyHash(key) % this.#partitions.length]!;
    const data = Buffer.isBuffer(payload)
      ? payload
      : Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    const order = receipts.next();
    if (this.#unsent.size === 0) setImmediate(this.#endBatches);
    this.#unsent.add(producer);
    producer.send({ data, partitionKey: key, properties }).then(
      (id) => receipts.add({ order, id, record, outcome }),
      (error: unknown) => {
        this.#checkOver(error);
        outcome.failed(nativeProblem(this.#topic, error));
      },
    );
  }

  async close(): Promise<void> {
    this.#isOver = true;
    clearInterval(this.#looking);
    await Promise.allSettled(this.#partitions.map(({ producer }) => producer.close()));
  }

  /**
   * What one turn of the event loop appends is one batch, which waits for no timer: fewer and larger ones cost broker and
   * client less. Where the client has no connection the batch waits for that.
   */
  readonly #endBatches = (): void => {
    for (const producer of this.#unsent) producer.flush().catch(() => {});
    this.#unsent.clear();
  };

  /** From one send to the next keys go by the new count; order holds within a layout only. */
  async #grow(look: (count: number) => Promise<readonly NativePartition[]>): Promise<void> {
    const count = this.#partitions.length;
    const added = await look(count).catch(() => []);
    const isOver = this.#isOver || this.#partitions.length !== count;
    if (isOver) await Promise.allSettled(added.map(({ producer }) => producer.close()));
    else if (added.length > 0) this.#partitions = [...this.#partitions, ...added];
  }

  /** Closed or fenced by the broker for good: another producer is needed. */
  #checkOver(error: unknown): void {
    if (this.#isOver || !/AlreadyClosed|ProducerFenced|NotInitialized/.test((error as Error).message)) return;
    this.#isOver = true;
    this.#onLost();
  }
}
