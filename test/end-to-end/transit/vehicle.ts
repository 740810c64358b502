import mqtt, { type MqttClient } from 'mqtt';
import type { QoS } from 'mqtt-packet';
import { BY_BACKING } from '../../support/behind-gateway.js';
import { persistentOptions } from '../../support/clients.js';
import type { StockLevel } from '../../support/raw-client.js';

/** Unacknowledged positions of one vehicle. */
const WINDOW = 4;
/** Fixed, not random, and short: the outage is what is tested, not the wait. */
export const RECONNECT_MS = 200;

/** What one position says of itself, for the checks. */
export interface Position {
  vehicle: string;
  sequence: number;
  qos: QoS;
}

/**
 * A vehicle as a feed has it: positions at mixed QoS, and a retained status of which the will is the other half.
 *
 * What MQTT.js 5.16 does for it, and does not:
 * - Its outgoing store is in memory and outlives connections, not the client. On reconnect it sends what is unacknowledged
 *   again, one by one, each after the acknowledgement of the one before, without the DUP flag, and only then emits `connect`.
 *   So the order of one client's messages is kept, and the server must know a QoS 2 message by its identifier alone.
 * - The callback of an interrupted publish is called after the resend. It fails with "Connection closed" only where the
 *   connection ends while older ones are being resent and this one has never been sent.
 * - The callback of QoS 0 waits for the `drain` of its stream, and is never called where the stream is closed before: nothing
 *   here waits for it. Without a connection QoS 0 would be queued; `queueQoSZero: false` drops it, as is right for a position.
 */
export class Vehicle {
  readonly name: string;
  readonly line: string;
  /** Of QoS 1 and 2, and acknowledged. */
  readonly acknowledged: Position[] = [];
  /** Of QoS 1 and 2, and never sent. */
  failed = 0;
  reconnects = 0;
  /** Reconnections to a server that had forgotten the session. */
  sessionsLost = 0;
  isAlive = true;
  readonly #client: MqttClient;
  readonly #total: number;
  readonly #onSettled: () => void;
  #sequence = 0;
  #inFlight = 0;
  #statusInFlight = 0;
  #isConnected: Promise<void>;
  #isOnline = false;
  #finished: () => void = () => {};
  readonly #isFinished = new Promise<void>((resolve) => {
    this.#finished = resolve;
  });

  constructor(
    url: string,
    options: { name: string; line: string; level: StockLevel; positions: number; onSettled: () => void },
  ) {
    this.name = options.name;
    this.line = options.line;
    this.#total = options.positions;
    this.#onSettled = options.onSettled;
    this.#client = mqtt.connect(url, {
      ...persistentOptions(options.level, options.name),
      ...BY_BACKING,
      protocolVersion: options.level,
      reconnectPeriod: RECONNECT_MS,
      queueQoSZero: false,
      will: { topic: this.statusTopic, payload: Buffer.from('offline'), qos: 1, retain: true },
    });
    this.#isConnected = new Promise((resolve) => this.#client.once('connect', () => resolve()));
    this.#client.on('connect', ({ sessionPresent }) => this.#connected(sessionPresent));
  }

  get statusTopic(): string {
    return `transit/${this.line}/${this.name}/status`;
  }

  connected(): Promise<void> {
    return this.#isConnected;
  }

  /** Whether the last thing that it heard is that its status is taken. */
  get isOnline(): boolean {
    return this.#isOnline && this.#client.connected;
  }

  /** Publishes its positions; resolves when each is acknowledged or failed, or the vehicle is dead. */
  drive(): Promise<void> {
    this.#publish();
    return this.#isFinished;
  }

  /** Loses its connection, and comes back by itself. */
  drop(): void {
    this.#isOnline = false;
    this.#client.stream.destroy();
  }

  /** Loses its power. */
  die(): void {
    this.isAlive = false;
    this.#client.end(true);
    this.#finished();
  }

  #connected(sessionPresent: boolean): void {
    if (this.reconnects > 0 && !sessionPresent) this.sessionsLost += 1;
    this.reconnects += 1;
    this.#statusInFlight += 1;
    this.#isOnline = false;
    this.#client.publish(this.statusTopic, 'online', { qos: 1, retain: true }, (error) => {
      this.#statusInFlight -= 1;
      this.#isOnline = !error && this.#statusInFlight === 0;
      this.#finishIfDone();
    });
  }

  #publish(): void {
    const topic = `transit/${this.line}/${this.name}/position`;
    while (this.isAlive && this.#inFlight < WINDOW && this.#sequence < this.#total) {
      const sequence = this.#sequence;
      this.#sequence += 1;
      const qos = (sequence % 3) as QoS;
      const entity = this.#feedEntity(sequence, qos);
      if (qos === 0) {
        this.#client.publish(topic, entity, { qos });
        continue;
      }
      this.#inFlight += 1;
      this.#client.publish(topic, entity, { qos }, (error) => {
        this.#inFlight -= 1;
        if (error) this.failed += 1;
        else this.acknowledged.push({ vehicle: this.name, sequence, qos });
        this.#onSettled();
        // MQTT.js calls back at once where it fails at once.
        setImmediate(() => this.#publish());
        this.#finishIfDone();
      });
    }
  }

  #finishIfDone(): void {
    if (this.#sequence === this.#total && this.#inFlight === 0 && this.#statusInFlight === 0) this.#finished();
  }

  /** A VehiclePosition of GTFS-realtime in its JSON form, with what the checks need in `checked`. */
  #feedEntity(sequence: number, qos: QoS): string {
    const number = Number(this.name.slice(this.name.lastIndexOf('-') + 1));
    return JSON.stringify({
      id: `${this.name}-${sequence}`,
      vehicle: {
        trip: { tripId: `${this.line}.${number}`, routeId: this.line, scheduleRelationship: 'SCHEDULED' },
        vehicle: { id: this.name, label: `${this.line} to the harbour` },
        position: { latitude: 53.55 + sequence / 10_000, longitude: 9.99 + number / 10_000, bearing: 90, speed: 8.3 },
        currentStopSequence: sequence % 30,
        currentStatus: 'IN_TRANSIT_TO',
        timestamp: String(1_795_000_000 + sequence),
      },
      checked: { vehicle: this.name, sequence, qos } satisfies Position,
    });
  }
}
