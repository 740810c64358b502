import mqtt, { type MqttClient } from 'mqtt';
import { persistentOptions } from '../../support/clients.js';
import type { StockLevel } from '../../support/raw-client.js';

/** On their way at a time. */
const WINDOW = 40;
const EVERY_MS = 25;
const RECONNECT_MS = 200;

/** Publishes at a steady rate until it is told to stop, comes back by itself, and gives nothing up that it may repeat. */
export class Publisher {
  readonly name: string;
  readonly qos: 1 | 2;
  /** Payloads, in the order of their acknowledgement. */
  readonly acknowledged: string[] = [];
  /** Answered by a reason code: the server does not have it, or does not know. */
  readonly refused: string[] = [];
  sent = 0;
  readonly #client: MqttClient;
  readonly #onAcknowledged: (ageMs: number) => void;
  readonly #unanswered = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #idle: () => void = () => {};

  constructor(
    url: string,
    options: { name: string; qos: 1 | 2; level: StockLevel; onAcknowledged: (ageMs: number) => void },
  ) {
    this.name = options.name;
    this.qos = options.qos;
    this.#onAcknowledged = options.onAcknowledged;
    this.#client = mqtt.connect(url, {
      ...persistentOptions(options.level, options.name),
      protocolVersion: options.level,
      reconnectPeriod: RECONNECT_MS,
    });
    // What MQTT.js says of a refused CONNECT; it tries again.
    this.#client.on('error', () => {});
  }

  start(): void {
    this.#timer = setInterval(() => this.#publish(), EVERY_MS);
  }

  /** Resolves when everything that was sent has an answer. */
  finish(): Promise<void> {
    clearInterval(this.#timer);
    return new Promise((resolve) => {
      this.#idle = resolve;
      this.#finishIfIdle();
    });
  }

  /** For what went wrong. */
  get unanswered(): readonly string[] {
    return [...this.#unanswered];
  }

  end(): void {
    clearInterval(this.#timer);
    this.#client.end(true);
  }

  #publish(): void {
    if (this.#unanswered.size >= WINDOW) return;
    const payload = `${this.name}:${this.qos}:${this.sent}`;
    const sentAt = performance.now();
    this.sent += 1;
    this.#unanswered.add(payload);
    this.#client.publish(`drill/${this.name}`, payload, { qos: this.qos }, (error) => {
      this.#unanswered.delete(payload);
      if (error) this.refused.push(payload);
      else {
        this.acknowledged.push(payload);
        this.#onAcknowledged(performance.now() - sentAt);
      }
      this.#finishIfIdle();
    });
  }

  #finishIfIdle(): void {
    if (this.#unanswered.size === 0) this.#idle();
  }
}
