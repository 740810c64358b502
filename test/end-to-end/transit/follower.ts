import mqtt, { type MqttClient } from 'mqtt';
import type { QoS } from 'mqtt-packet';
import { BY_BACKING } from '../../support/behind-gateway.js';
import { persistentOptions } from '../../support/clients.js';
import type { StockLevel } from '../../support/raw-client.js';
import { within } from '../../support/waiting.js';
import { type Position, RECONNECT_MS } from './vehicle.js';

export interface FollowerOptions {
  name: string;
  level: StockLevel;
  lines: readonly string[];
  qos: QoS;
  /** The status of vehicles as well as their positions. */
  withStatus: boolean;
  receiveMaximum?: number;
}

/** A position as it arrived, with the QoS that it arrived at. */
export interface Arrival extends Position {
  arrivedAt: QoS;
}

/**
 * A subscriber whose session persists. MQTT.js keeps identifiers of QoS 2 messages that it has not released in memory, over
 * connections but not over the life of the client; one client object lives as long as the test, so exactly once is to be
 * had. It hands a QoS 2 message over when PUBREL comes. `resubscribe: false`: subscriptions are the server's to keep.
 */
export class Follower {
  readonly name: string;
  readonly lines: ReadonlySet<string>;
  readonly qos: QoS;
  readonly withStatus: boolean;
  readonly arrivals: Arrival[] = [];
  /** By vehicle, in the order of arrival. */
  readonly statuses = new Map<string, string[]>();
  reconnects = 0;
  sessionsLost = 0;
  readonly #client: MqttClient;
  /** What is waited for; null until it is known. */
  #missing: Set<string> | null = null;
  #complete: () => void = () => {};

  private constructor(url: string, options: FollowerOptions) {
    this.name = options.name;
    this.lines = new Set(options.lines);
    this.qos = options.qos;
    this.withStatus = options.withStatus;
    const { properties, ...session } = persistentOptions(options.level, options.name);
    this.#client = mqtt.connect(url, {
      ...session,
      ...BY_BACKING,
      protocolVersion: options.level,
      reconnectPeriod: RECONNECT_MS,
      resubscribe: false,
      ...(properties && {
        properties: { ...properties, ...(options.receiveMaximum && { receiveMaximum: options.receiveMaximum }) },
      }),
    });
    this.#client.on('message', (topic, payload, { qos }) => this.#arrived(topic, payload, qos));
    this.#client.on('connect', ({ sessionPresent }) => {
      if (this.reconnects > 0 && !sessionPresent) this.sessionsLost += 1;
      this.reconnects += 1;
    });
  }

  /** Resolves when it is subscribed. */
  static async start(url: string, options: FollowerOptions): Promise<Follower> {
    const follower = new Follower(url, options);
    // Not overlapping: how many copies would come is for the server to choose.
    const filters = options.lines.map((line) => `transit/${line}/${options.withStatus ? '#' : '+/position'}`);
    await within(`${options.name} follows`, follower.#client.subscribeAsync(filters, { qos: options.qos }));
    return follower;
  }

  drop(): void {
    this.#client.stream.destroy();
  }

  end(): void {
    this.#client.end(true);
  }

  /** Resolves when all of these have arrived; rejects with some of those that have not. */
  async has(positions: readonly Position[], deadlineMs: number): Promise<void> {
    const missing = new Set(positions.map(keyOf));
    for (const arrival of this.arrivals) missing.delete(keyOf(arrival));
    this.#missing = missing;
    if (missing.size === 0) return;
    const complete = new Promise<void>((resolve) => {
      this.#complete = resolve;
    });
    try {
      await within(`${this.name} has all ${positions.length}`, complete, deadlineMs);
    } catch (error) {
      const some = [...missing].slice(0, 5).join(', ');
      throw new Error(`${(error as Error).message}; ${missing.size} are missing, such as ${some}`);
    }
  }

  #arrived(topic: string, payload: Buffer, qos: QoS): void {
    if (topic.endsWith('/status')) {
      const vehicle = topic.split('/')[2] as string;
      this.statuses.set(vehicle, [...(this.statuses.get(vehicle) ?? []), payload.toString()]);
      return;
    }
    const { checked } = JSON.parse(payload.toString()) as { checked: Position };
    const arrival = { ...checked, arrivedAt: qos };
    this.arrivals.push(arrival);
    if (this.#missing?.delete(keyOf(arrival)) && this.#missing.size === 0) this.#complete();
  }
}

export function keyOf({ vehicle, sequence }: Position): string {
  return `${vehicle}:${sequence}`;
}
