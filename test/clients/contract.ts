import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { StockClient } from '../support/clients.js';
import type { Program } from '../support/program.js';
import type { StockLevel } from '../support/raw-client.js';
import { type Inbox, unique } from '../support/waiting.js';

export interface Message {
  topic: string;
  payload: string;
  qos: number;
  retain: boolean;
}

export interface ConnectOptions {
  clientId: string;
  level: StockLevel;
  /** Whether the session outlives the connection. */
  persistent: boolean;
  will?: { topic: string; payload: string; qos: 0 | 1 | 2 };
}

/** A stock client, as far as all of them can do the same. */
export interface ForeignClient {
  readonly messages: Inbox<Message>;
  /** Resolves with Session Present; undefined where the client does not tell. */
  connect(options: ConnectOptions): Promise<boolean | undefined>;
  subscribe(filter: string, qos: 0 | 1 | 2): Promise<void>;
  /** Resolves when it is acknowledged, or for QoS 0 handed over. */
  publish(topic: string, payload: string, options: { qos: 0 | 1 | 2; retain?: boolean }): Promise<void>;
  /** With a DISCONNECT. */
  disconnect(): Promise<void>;
  /** Without one. */
  lose(): Promise<void>;
}

/** Registers what every stock client goes through. `makeClient` gives one that is not connected; `context` ends it. */
export function clientContract(
  name: string,
  program: Program,
  levels: readonly StockLevel[],
  makeClient: (context: TestContext, url: string) => Promise<ForeignClient>,
): void {
  for (const level of levels) {
    const title = `${name}, MQTT ${level === 4 ? '3.1.1' : '5'}`;
    const connected = async (t: TestContext, options: Partial<ConnectOptions> = {}) => {
      const client = await makeClient(t, program.url);
      await client.connect({ clientId: unique('foreign'), level, persistent: false, ...options });
      return client;
    };
    const witnessOf = (t: TestContext) => StockClient.connect(t, program.url, level);

    test(`${title}: QoS 0, 1 and 2, both ways`, async (t) => {
      const topic = unique('topic');
      const [client, witness] = [await connected(t), await witnessOf(t)];
      await client.subscribe(`${topic}/to/+`, 2);
      await witness.subscribe(`${topic}/from/#`);
      for (const qos of [0, 1, 2] as const) {
        await witness.publish(`${topic}/to/${qos}`, `to ${qos}`, { qos });
        const got = await client.messages.find(`QoS ${qos}`, (message) => message.payload === `to ${qos}`);
        assert.deepEqual([got.topic, got.qos, got.retain], [`${topic}/to/${qos}`, qos, false]);
        await client.publish(`${topic}/from/${qos}`, `from ${qos} ü`, { qos });
        const had = await witness.messages.find(`QoS ${qos}`, (message) => message.payload === `from ${qos} ü`);
        assert.deepEqual([had.topic, had.qos], [`${topic}/from/${qos}`, qos]);
      }
    });

    test(`${title}: a retained message is there for a later subscriber until it is cleared`, async (t) => {
      const topic = unique('retained');
      const client = await connected(t);
      await client.publish(topic, 'kept', { qos: 1, retain: true });
      await client.subscribe(topic, 1);
      const kept = await client.messages.find('the retained message', (message) => message.topic === topic);
      assert.deepEqual([kept.payload, kept.retain], ['kept', true]);
      await client.publish(topic, '', { qos: 1, retain: true });
      const late = await connected(t);
      await late.subscribe(topic, 1);
      await client.publish(topic, 'live', { qos: 1 });
      const first = await late.messages.take('what comes first');
      assert.deepEqual([first.payload, first.retain], ['live', false]);
    });

    test(`${title}: a lost connection publishes the will, and a clean end does not`, async (t) => {
      const topic = unique('will');
      const witness = await witnessOf(t);
      await witness.subscribe(`${topic}/+`);
      const will = (what: string) => ({ topic: `${topic}/${what}`, payload: `${what} is gone`, qos: 1 as const });
      const polite = await connected(t, { will: will('polite') });
      await polite.disconnect();
      const lost = await connected(t, { will: will('lost') });
      await lost.lose();
      await witness.messages.find('the will', (message) => message.payload === 'lost is gone');
      assert.equal(witness.messages.all.length, 1);
    });

    test(`${title}: a session that persists has what came meanwhile`, async (t) => {
      const topic = unique('resumed');
      const session = { clientId: unique('persistent'), level, persistent: true };
      const first = await makeClient(t, program.url);
      assert.notEqual(await first.connect(session), true);
      await first.subscribe(topic, 2);
      await first.disconnect();
      const publisher = await witnessOf(t);
      for (const qos of [1, 2] as const) await publisher.publish(topic, `missed ${qos}`, { qos });
      const second = await makeClient(t, program.url);
      assert.notEqual(await second.connect(session), false);
      for (const qos of [1, 2] as const) {
        const missed = await second.messages.find(`QoS ${qos}`, (message) => message.payload === `missed ${qos}`);
        assert.equal(missed.qos, qos);
      }
      await second.disconnect();
    });
  }
}
