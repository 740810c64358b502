import { PortError } from '../../../ports/errors.js';
import type { LogRecord, Receipt } from '../../../ports/log.js';
import { keyHash } from '../../../topics/key-hash.js';
import { positionOf } from '../message-id.js';
import type { TransportProducer } from '../transport.js';
import { type NativeProducer, nativeProblem } from './client.js';
import { readNativeId } from './message.js';

export interface NativePartition {
  name: string;
  producer: NativeProducer;
}

/**
 * Producers of the native client, one for each partition, which connect again by themselves and then send what has no
 * receipt, in order. The client is not left to choose the partition: its `JavaStringHash` goes over the bytes of UTF-8 and
 * so is Java's for ASCII alone.
 */
export class NativeTopicProducer implements TransportProducer {
  readonly #topic: string;
  readonly #partitions: readonly NativePartition[];
  readonly #messageMaxBytes: number;
  readonly #onLost: () => void;
  #isOver = false;

  constructor(topic: string, partitions: readonly NativePartition[], messageMaxBytes: number, onLost: () => void) {
    this.#topic = topic;
    this.#partitions = partitions;
    this.#messageMaxBytes = messageMaxBytes;
    this.#onLost = onLost;
  }

  async send({ key, payload, properties }: LogRecord): Promise<Receipt> {
    if (payload.length > this.#messageMaxBytes) {
      throw new PortError('too-large', `${this.#topic}: Pulsar takes a message of ${this.#messageMaxBytes} bytes`);
    }
    const { name, producer } = this.#partitions[keyHash(key) % this.#partitions.length]!;
    const data = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    try {
      const id = readNativeId(await producer.send({ data, partitionKey: key, properties }));
      return { partition: name, position: positionOf(id) };
    } catch (error) {
      this.#checkOver(error);
      throw nativeProblem(this.#topic, error);
    }
  }

  async close(): Promise<void> {
    this.#isOver = true;
    await Promise.allSettled(this.#partitions.map(({ producer }) => producer.close()));
  }

  /** Closed or fenced by the broker for good: another producer is needed. */
  #checkOver(error: unknown): void {
    if (this.#isOver || !/AlreadyClosed|ProducerFenced|NotInitialized/.test((error as Error).message)) return;
    this.#isOver = true;
    this.#onLost();
  }
}
