import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { persistentOptions } from '../../support/clients.js';
import type { StockLevel } from '../../support/raw-client.js';

/** On their way at a time. */
const WINDOW = 40;
const EVERY_MS = 25;
const RECONNECT_MS = 200;
/** Shorter than MQTT.js has it: a server that is frozen takes sockets and says nothing. */
const CONNECT_TIMEOUT_MS = 5_000;

/** How a client gets to its server. */
export interface Dial {
  /** Where it goes the next time that it connects. */
  url: () => string;
  options?: IClientOptions;
}

export interface WriterOptions {
  name: string;
  qos: 0 | 1 | 2;
  level: StockLevel;
  everyMs?: number;
  topic?: string;
  reconnectMs?: number;
  onAcknowledged?: () => void;
}

/** As each client of a load connects: its session persists, and it comes back by itself. */
export function connectAgainAndAgain(
  dial: Dial,
  name: string,
  level: StockLevel,
  reconnectMs = RECONNECT_MS,
): MqttClient {
  // MQTT.js asks for the place each time; what stands here only says that it is a WebSocket.
  const client = mqtt.connect('ws://127.0.0.1/mqtt', {
    ...persistentOptions(level, name),
    ...dial.options,
    protocolVersion: level,
    reconnectPeriod: reconnectMs,
    connectTimeout: CONNECT_TIMEOUT_MS,
    resubscribe: false,
    transformWsUrl: dial.url,
  });
  // What MQTT.js says of a refused CONNECT; it tries again.
  client.on('error', () => {});
  return client;
}

/** Publishes at a steady rate until it is told to stop, comes back by itself, and gives nothing up that it may repeat. */
export class Writer {
  readonly name: string;
  readonly qos: 0 | 1 | 2;
  readonly topic: string;
  /** Payloads, in the order of their acknowledgement; of QoS 0 none. */
  readonly acknowledged: string[] = [];
  /**
   * Answered by a reason code: the server does not have it, or does not know. Or given up by MQTT.js (`Connection closed`): what waits
   * there while it sends older ones again is not sent where that connection is lost too.
   */
  readonly refused: string[] = [];
  /** By payload, by `performance.now()`. */
  readonly sentAt = new Map<string, number>();
  readonly #client: MqttClient;
  readonly #everyMs: number;
  readonly #onAcknowledged: () => void;
  readonly #unanswered = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #idle: () => void = () => {};

  constructor(dial: Dial, { name, qos, level, everyMs = EVERY_MS, onAcknowledged = () => {}, ...rest }: WriterOptions) {
    this.name = name;
    this.qos = qos;
    this.topic = rest.topic ?? `drill/${name}`;
    this.#everyMs = everyMs;
    this.#onAcknowledged = onAcknowledged;
    this.#client = connectAgainAndAgain(dial, name, level, rest.reconnectMs);
  }

  get sent(): number {
    return this.sentAt.size;
  }

  start(): void {
    this.#timer = setInterval(() => this.publish(), this.#everyMs);
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

  /** The next one, unless too many have no answer. */
  publish(): void {
    if (this.#unanswered.size >= WINDOW) return;
    const payload = `${this.name}:${this.qos}:${this.sent}`;
    this.sentAt.set(payload, performance.now());
    this.#unanswered.add(payload);
    this.#client.publish(this.topic, payload, { qos: this.qos }, (error) => {
      this.#unanswered.delete(payload);
      if (error) this.refused.push(`${payload} ${error.message}`);
      else if (this.qos > 0) {
        this.acknowledged.push(payload);
        this.#onAcknowledged();
      }
      this.#finishIfIdle();
    });
  }

  #finishIfIdle(): void {
    if (this.#unanswered.size === 0) this.#idle();
  }
}
