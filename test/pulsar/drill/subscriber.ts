import mqtt, { type MqttClient } from 'mqtt';
import { persistentOptions } from '../../support/clients.js';
import type { StockLevel } from '../../support/raw-client.js';
import { Inbox } from '../../support/waiting.js';

const RECONNECT_MS = 200;

/** Follows all publishers of a drill, and comes back by itself. */
export class Subscriber {
  readonly name: string;
  readonly arrivals = new Inbox<string>();
  readonly #client: MqttClient;
  readonly #onArrival: () => void;

  constructor(url: string, options: { name: string; level: StockLevel; onArrival: () => void }) {
    this.name = options.name;
    this.#onArrival = options.onArrival;
    this.#client = mqtt.connect(url, {
      ...persistentOptions(options.level, options.name),
      protocolVersion: options.level,
      reconnectPeriod: RECONNECT_MS,
      resubscribe: false,
    });
    this.#client.on('error', () => {});
    this.#client.on('message', (_topic, payload) => {
      this.arrivals.add(payload.toString());
      this.#onArrival();
    });
  }

  async subscribe(): Promise<void> {
    const granted = await this.#client.subscribeAsync('drill/#', { qos: 2 });
    if (granted[0]?.qos !== 2) throw new Error(`${this.name} was granted ${granted[0]?.qos}`);
  }

  /** Resolves when all of these have arrived. */
  async has(payloads: readonly string[], deadlineMs: number): Promise<void> {
    const missing = new Set(payloads);
    let seen = 0;
    const isComplete = (all: readonly string[]) => {
      for (; seen < all.length; seen += 1) missing.delete(all[seen] as string);
      return missing.size === 0;
    };
    try {
      await this.arrivals.until(`all at ${this.name}`, isComplete, deadlineMs);
    } catch (error) {
      const some = [...missing].slice(0, 5).join(', ');
      throw new Error(`${(error as Error).message}; ${missing.size} are missing, such as ${some}`);
    }
  }

  end(): void {
    this.#client.end(true);
  }
}

/** Those that came more than once. */
export function repeated(payloads: readonly string[]): string[] {
  const seen = new Set<string>();
  return payloads.filter((payload) => seen.size === seen.add(payload).size);
}

/** What came after something later of the same publisher, by the first time that each came [MQTT-4.6.0-6]. */
export function disordered(payloads: readonly string[]): string[] {
  const lastOf = new Map<string, number>();
  return [...new Set(payloads)].filter((payload) => {
    const [, publisher = '', number] = /^(.*):(\d+)$/.exec(payload) ?? [];
    const isLate = Number(number) < (lastOf.get(publisher) ?? -1);
    lastOf.set(publisher, Math.max(Number(number), lastOf.get(publisher) ?? -1));
    return isLate;
  });
}
