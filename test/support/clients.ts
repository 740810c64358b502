import { type TestContext, test } from 'node:test';
import mqtt, {
  type IClientOptions,
  type IClientPublishOptions,
  type IClientSubscribeOptions,
  type IConnackPacket,
  type IDisconnectPacket,
  type IPublishPacket,
  type MqttClient,
} from 'mqtt';
import { BY_BACKING } from './behind-gateway.js';
import { BACKING } from './patience.js';
import { persistent, type StockLevel } from './raw-client.js';
import { Inbox, type Scope, unique, within } from './waiting.js';

const QUIET_MS = 200;

/** One message as MQTT.js handed it over. */
export interface Message {
  topic: string;
  payload: string;
  qos: number;
  retain: boolean;
  properties: NonNullable<IPublishPacket['properties']>;
}

/** The same fact at both protocol levels that stock clients speak. */
export function atBothLevels(fact: string, prove: (level: StockLevel, context: TestContext) => Promise<void>): void {
  test(`${fact} (MQTT 3.1.1)`, (context) => prove(4, context));
  test(`${fact} (MQTT 5)`, (context) => prove(5, context));
}

/**
 * MQTT.js with a deadline on everything. It does not reconnect by itself, so that a test decides when a connection is lost.
 * What arrives before the CONNACK is handed over is kept too.
 */
export class StockClient {
  readonly messages = new Inbox<Message>();
  /** The server's DISCONNECT, where it sent one. */
  readonly disconnects = new Inbox<IDisconnectPacket>();
  readonly mqtt: MqttClient;
  connack!: IConnackPacket;
  readonly #closed: Promise<void>;

  private constructor(url: string, level: StockLevel, options: IClientOptions) {
    const defaults = { protocolVersion: level, clientId: unique('stock'), reconnectPeriod: 0 };
    this.mqtt = mqtt.connect(url, { ...defaults, ...BY_BACKING, ...options });
    this.mqtt.on('message', (topic, payload, { qos, retain, properties }) => {
      this.messages.add({ topic, payload: payload.toString(), qos, retain, properties: properties ?? {} });
    });
    this.mqtt.on('disconnect', (packet) => this.disconnects.add(packet));
    this.#closed = new Promise((resolve) => this.mqtt.once('close', () => resolve()));
  }

  /** Rejects with MQTT.js's error where the server refuses. */
  static async connect(
    scope: Scope,
    url: string,
    level: StockLevel,
    options: IClientOptions = {},
  ): Promise<StockClient> {
    const client = new StockClient(url, level, options);
    scope.after(async () => {
      client.mqtt.end(true);
    });
    const connack = new Promise<IConnackPacket>((resolve, reject) => {
      client.mqtt.once('connect', resolve);
      client.mqtt.once('error', reject);
      client.#closed.then(() => reject(new Error(`${client.id} was closed before its CONNACK`)));
    });
    client.connack = await within(`a CONNACK for ${client.id}`, connack);
    return client;
  }

  get id(): string {
    return this.mqtt.options.clientId as string;
  }

  /** Resolves when it is acknowledged, or for QoS 0 written. */
  async publish(topic: string, payload: string | Buffer, options: IClientPublishOptions = {}): Promise<void> {
    await within(`${this.id} has published to ${topic}`, this.mqtt.publishAsync(topic, payload, options));
  }

  /** The reason codes of the SUBACK, which are at most the QoS asked for. */
  async subscribe(filters: string | string[], options: IClientSubscribeOptions = { qos: 2 }): Promise<number[]> {
    const granted = await within(`${this.id} has subscribed to ${filters}`, this.mqtt.subscribeAsync(filters, options));
    return granted.map(({ qos }) => qos);
  }

  async unsubscribe(filter: string): Promise<void> {
    await within(`${this.id} has unsubscribed`, this.mqtt.unsubscribeAsync(filter));
  }

  /**
   * What arrived up to a message that `publisher` sends now, that one left out: nothing else was on its way. Partitions of Pulsar
   * and reads of DynamoDB have no order among each other, so there nothing else must arrive for a while, too.
   */
  async settled(publisher: StockClient): Promise<Message[]> {
    const marker = `settled/${unique('marker')}`;
    await this.subscribe(marker);
    await publisher.publish(marker, '', { qos: 2 });
    await this.messages.find(`${marker} at ${this.id}`, ({ topic }) => topic === marker);
    if (BACKING !== 'embedded') await this.messages.quiet(QUIET_MS);
    return this.messages.all.filter(({ topic }) => !topic.startsWith('settled/'));
  }

  /** DISCONNECT, then close. */
  async disconnect(reasonCode?: number): Promise<void> {
    const ended = this.mqtt.endAsync(false, reasonCode === undefined ? {} : { reasonCode });
    await within(`${this.id} has disconnected`, ended);
  }

  /** Loses the connection: no DISCONNECT, no close frame. */
  async drop(): Promise<void> {
    this.mqtt.stream.destroy();
    await this.closed();
  }

  closed(deadlineMs?: number): Promise<void> {
    return within(`${this.id} is closed`, this.#closed, deadlineMs);
  }
}

/** Options of a session that outlives its connection. */
export function persistentOptions(level: StockLevel, clientId: string, expiryS?: number): IClientOptions {
  return { clientId, ...persistent(level, expiryS) } as IClientOptions;
}

/** Topic and payload of each, to be compared. */
export function texts(messages: readonly Message[]): string[] {
  return messages.map(({ topic, payload }) => `${topic} ${payload}`);
}
