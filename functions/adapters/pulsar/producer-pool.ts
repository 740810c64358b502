import { PortError } from '../../ports/errors.js';
import { atMost } from './at-most.js';
import type { PulsarSettings } from './options.js';
import { type OnReceipt, TopicProducer } from './topic-producer.js';
import type { Transport } from './transport.js';

const DRAIN_MAX_MS = 3_000;
const CLOSE_MAX_MS = 1_000;

/** One producer per topic, bounded: the one that was not used for the longest time is closed for another. */
export class ProducerPool {
  readonly #transport: Transport;
  readonly #settings: PulsarSettings;
  readonly #onReceipt: OnReceipt;
  /** The least recently used first. */
  readonly #producers = new Map<string, TopicProducer>();
  #lastUsed: TopicProducer | undefined;

  constructor(transport: Transport, settings: PulsarSettings, onReceipt: OnReceipt) {
    this.#transport = transport;
    this.#settings = settings;
    this.#onReceipt = onReceipt;
  }

  /** Throws `full` where as many as are allowed have something on its way. */
  get(topic: string): TopicProducer {
    const known = this.#producers.get(topic);
    if (known !== undefined && known === this.#lastUsed) return known;
    if (known === undefined) this.#makeRoom();
    const producer = known ?? new TopicProducer(topic, this.#transport, this.#settings, this.#onReceipt);
    this.#producers.delete(topic);
    this.#producers.set(topic, producer);
    this.#lastUsed = producer;
    return producer;
  }

  /** Resolves when nothing that was handed over so far for this topic is on its way. */
  async drained(topic: string): Promise<void> {
    await this.#producers.get(topic)?.drained();
  }

  /** Finishes what is on its way, where that does not take long; what is left is in doubt, and rejected so. */
  async close(): Promise<void> {
    const producers = [...this.#producers.values()];
    await atMost(DRAIN_MAX_MS, Promise.all(producers.map((producer) => producer.drained())));
    await atMost(CLOSE_MAX_MS, Promise.all(producers.map((producer) => producer.close())));
  }

  #makeRoom(): void {
    const { producersMax } = this.#settings;
    if (this.#producers.size < producersMax) return;
    for (const [topic, producer] of this.#producers) {
      if (producer.isBusy) continue;
      this.#producers.delete(topic);
      void producer.close();
      return;
    }
    throw new PortError('full', `${producersMax} topics are being appended to at once`);
  }
}
