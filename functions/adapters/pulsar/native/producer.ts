import { PortError } from '../../../ports/errors.js';
import type { LogRecord, Receipt } from '../../../ports/log.js';
import { positionOf } from '../message-id.js';
import { partitionName } from '../topic-names.js';
import type { TransportProducer } from '../transport.js';
import { type NativeProducer, nativeProblem } from './client.js';
import { readNativeId } from './message.js';

/** A producer of the native client, which connects again by itself and then sends what has no receipt, in order. */
export class NativeTopicProducer implements TransportProducer {
  readonly #topic: string;
  readonly #producer: NativeProducer;
  readonly #messageMaxBytes: number;
  readonly #onLost: () => void;
  #isOver = false;

  constructor(topic: string, producer: NativeProducer, messageMaxBytes: number, onLost: () => void) {
    this.#topic = topic;
    this.#producer = producer;
    this.#messageMaxBytes = messageMaxBytes;
    this.#onLost = onLost;
  }

  async send({ key, payload, properties }: LogRecord): Promise<Receipt> {
    if (payload.length > this.#messageMaxBytes) {
      throw new PortError('too-large', `${this.#topic}: Pulsar takes a message of ${this.#messageMaxBytes} bytes`);
    }
    const data = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    try {
      const id = readNativeId(await this.#producer.send({ data, partitionKey: key, properties }));
      return { partition: partitionName(this.#topic, id.partition), position: positionOf(id) };
    } catch (error) {
      this.#checkOver(error);
      throw nativeProblem(this.#topic, error);
    }
  }

  async close(): Promise<void> {
    this.#isOver = true;
    await this.#producer.close().catch(() => {});
  }

  /** Closed or fenced by the broker for good: another producer is needed. */
  #checkOver(error: unknown): void {
    if (this.#isOver || !/AlreadyClosed|ProducerFenced|NotInitialized/.test((error as Error).message)) return;
    this.#isOver = true;
    this.#onLost();
  }
}
