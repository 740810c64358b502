import type { MqttClient } from 'mqtt';
import type { StockLevel } from '../../support/raw-client.js';
import { Inbox } from '../../support/waiting.js';
import { connectAgainAndAgain, type Dial } from './writer.js';

export interface ReaderOptions {
  name: string;
  level: StockLevel;
  /** Of its subscription. */
  qos?: 1 | 2;
  filter?: string;
}

/** Follows all writers of a load, and comes back by itself. */
export class Reader {
  readonly name: string;
  readonly qos: 1 | 2;
  readonly arrivals = new Inbox<string>();
  /** When each of them came, by `performance.now()`. */
  readonly arrivedAt: number[] = [];
  /** CONNACKs so far. */
  connections = 0;
  readonly #filter: string;
  readonly #client: MqttClient;

  constructor(dial: Dial, { name, level, qos = 2, filter = 'drill/#' }: ReaderOptions) {
    this.name = name;
    this.qos = qos;
    this.#filter = filter;
    this.#client = connectAgainAndAgain(dial, name, level);
    this.#client.on('connect', () => {
      this.connections += 1;
    });
    this.#client.on('message', (_topic, payload) => {
      this.arrivedAt.push(performance.now());
      this.arrivals.add(payload.toString());
    });
  }

  get isConnected(): boolean {
    return this.#client.connected;
  }

  /** Does not come back by itself any more. */
  settle(): void {
    this.#client.options.reconnectPeriod = 0;
  }

  /** DISCONNECT; the session stays. */
  async leave(): Promise<void> {
    await this.#client.endAsync();
  }

  comeBack(): void {
    this.#client.reconnect();
  }

  async subscribe(): Promise<void> {
    const granted = await this.#client.subscribeAsync(this.#filter, { qos: this.qos });
    if (granted[0]?.qos !== this.qos) throw new Error(`${this.name} was granted ${granted[0]?.qos}`);
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

/** What came after something later of the same writer, by the first time that each came [MQTT-4.6.0-6]. */
export function disordered(payloads: readonly string[]): string[] {
  const lastOf = new Map<string, number>();
  return [...new Set(payloads)].filter((payload) => {
    const [, writer = '', number] = /^(.*):(\d+)$/.exec(payload) ?? [];
    const isLate = Number(number) < (lastOf.get(writer) ?? -1);
    lastOf.set(writer, Math.max(Number(number), lastOf.get(writer) ?? -1));
    return isLate;
  });
}
