import assert from 'node:assert/strict';
import type { IConnectPacket } from 'mqtt-packet';
import { type Arrived, persistent, RawClient, type StockLevel } from '../../support/raw-client.js';
import { Inbox, type Scope, unique } from '../../support/waiting.js';

/** What a test publishes: who says it, and which it is of what that one says. */
export function payloadOf(publisher: string, number: number): string {
  return `${publisher}:${number}`;
}

/**
 * What the standard asks of a receiver of QoS 2 and no more: it keeps the identifiers that it has not seen PUBREL for,
 * over connections too (section 4.3.3). It watches over what the standard asks of the sender.
 */
export class Receiver {
  /** Answers nothing. */
  isMute = false;
  /** What is wrong so far, in words. */
  readonly faults: string[] = [];
  /** QoS 2 only, each handed on when its identifier is new. */
  readonly #received = new Inbox<string>();
  readonly #unreleased = new Set<number>();
  readonly #lastOf = new Map<string, number>();
  /** PUBREC sent on this connection, and PUBREL not seen yet. */
  #unanswered: number[] = [];
  readonly #scope: Scope;
  readonly #url: string;
  readonly #level: StockLevel;
  readonly #filter: string;
  readonly #session: Partial<IConnectPacket>;
  #client: RawClient | undefined;

  constructor(scope: Scope, url: string, level: StockLevel, filter: string) {
    this.#scope = scope;
    this.#url = url;
    this.#level = level;
    this.#filter = filter;
    this.#session = { clientId: unique('receiver'), ...persistent(level) };
  }

  /** The first time it subscribes; later the session has to be there. */
  async connect(): Promise<void> {
    const isFirst = this.#client === undefined;
    await this.drop();
    const { client, connack } = await RawClient.connect(this.#scope, this.#url, this.#level, this.#session);
    assert.equal(connack.sessionPresent, !isFirst);
    this.#client = client;
    this.#unanswered = [];
    for (const packet of client.packets.all) this.#take(client, packet);
    client.onPacket = (packet) => this.#take(client, packet);
    if (!isFirst) return;
    client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: this.#filter, qos: 2 }] });
    await client.packets.find('a suback', ({ cmd }) => cmd === 'suback');
  }

  async drop(): Promise<void> {
    await this.#client?.drop();
  }

  /** So many have been handed on. */
  async has(count: number): Promise<void> {
    await this.#received.until(`${count} messages`, (all) => all.length >= count, 15_000);
  }

  /** A message has come on this connection, whatever was done with it. */
  async isSentSomething(): Promise<void> {
    await this.#client?.packets.find('a publish', ({ cmd }) => cmd === 'publish');
  }

  async find(payload: string): Promise<void> {
    await this.#received.find(payload, (received) => received === payload, 15_000);
  }

  #take(client: RawClient, packet: Arrived): void {
    if (this.isMute) return;
    const { messageId = 0 } = packet;
    if (packet.cmd === 'publish' && packet.qos === 1) {
      client.send({ cmd: 'puback', messageId });
    } else if (packet.cmd === 'publish' && packet.qos === 2) {
      if (!this.#unreleased.has(messageId)) this.#handOn(packet.payload.toString());
      this.#unreleased.add(messageId);
      this.#unanswered.push(messageId);
      client.send({ cmd: 'pubrec', messageId });
    } else if (packet.cmd === 'pubrel') {
      this.#released(messageId);
      client.send({ cmd: 'pubcomp', messageId });
    }
  }

  /** Each publisher's in its order [MQTT-4.6.0-6], and none twice [MQTT-4.3.3-1]. */
  #handOn(payload: string): void {
    this.#received.add(payload);
    const [publisher, text] = payload.split(':') as [string, string];
    const number = Number(text);
    const last = this.#lastOf.get(publisher) ?? -1;
    if (number !== last + 1) this.faults.push(`${payload} came after ${last}`);
    this.#lastOf.set(publisher, Math.max(last, number));
  }

  /** In the order of PUBREC [MQTT-4.6.0-4]; those at resume answer a PUBREC of an earlier connection. */
  #released(messageId: number): void {
    this.#unreleased.delete(messageId);
    const place = this.#unanswered.indexOf(messageId);
    if (place > 0) this.faults.push(`PUBREL ${messageId} came before that of ${this.#unanswered[0]}`);
    if (place >= 0) this.#unanswered.splice(place, 1);
  }
}
