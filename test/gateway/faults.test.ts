import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { THROUGH_GATEWAY } from '../support/behind-gateway.js';
import { persistentOptions, StockClient, texts } from '../support/clients.js';
import { eventually, unique, within } from '../support/waiting.js';
import { type Deployment, deploy } from './deployment.js';

const SILENCE_MAX_MS = 4_000;
const LOAD_MS = 10_000;
/** Longer than a function takes to start on a busy machine. */
const FAULT_EVERY_MS = 1_500;
const DEADLINE_MS = 20_000;

const deployment = await deploy(
  { after },
  {
    seed: 11,
    invokesTwice: 0.1,
    losesDisconnect: 1,
    throttles: 0.05,
    settings: { PULSEGATE_GATEWAY_SILENCE_MAX_MS: String(SILENCE_MAX_MS) },
  },
);
const { url, worker } = deployment;

test('ingestion goes on while every worker is down, and what it took is delivered by the next', async (t) => {
  const topic = unique('ingest');
  const reader = { ...persistentOptions(5, unique('reader')), ...THROUGH_GATEWAY };
  const before = await StockClient.connect(t, url, 5, reader);
  await before.subscribe(topic);
  const writer = await StockClient.connect(t, url, 5, THROUGH_GATEWAY);
  await writer.publish(topic, '0', { qos: 2 });
  await before.messages.take('the first');
  await worker.kill();
  for (let i = 1; i <= 10; i += 1) await writer.publish(topic, `${i}`, { qos: 2 });
  const newcomer = await StockClient.connect(t, url, 5, THROUGH_GATEWAY);
  for (let i = 11; i <= 20; i += 1) await newcomer.publish(topic, `${i}`, { qos: 2 });
  await worker.start();
  const again = await StockClient.connect(t, url, 5, reader);
  const got = () => texts([...before.messages.all, ...again.messages.all]);
  await within(
    'all of them',
    eventually(() => got().length >= 21),
    DEADLINE_MS,
  );
  assert.deepEqual(
    got(),
    Array.from({ length: 21 }, (_, i) => `${topic} ${i}`),
  );
});

test('no $disconnect, and the will comes all the same', async (t) => {
  const topic = unique('will');
  const reader = await StockClient.connect(t, url, 5, THROUGH_GATEWAY);
  await reader.subscribe(topic);
  const will = { topic, payload: Buffer.from('gone'), qos: 2, retain: false } as const;
  const client = await StockClient.connect(t, url, 5, { ...THROUGH_GATEWAY, will });
  await client.drop();
  const lostAtMs = Date.now();
  // Whoever watches is heard of meanwhile.
  const beat = setInterval(() => void reader.publish(`${topic}/beat`, '', { qos: 0 }), SILENCE_MAX_MS / 4);
  t.after(() => clearInterval(beat));
  await reader.messages.find('the will', ({ payload }) => payload === 'gone', SILENCE_MAX_MS * 3);
  assert.ok(Date.now() - lostAtMs >= SILENCE_MAX_MS / 2);
});

test('functions that die at any moment, and a gateway that cuts connections, lose no QoS 1 and repeat no QoS 2', async (t) => {
  const topic = unique('mortal');
  const reader = reconnecting(deployment, persistentOptions(5, unique('reader')));
  t.after(() => void reader.end(true));
  const got: string[] = [];
  reader.on('message', (_, payload) => void got.push(payload.toString()));
  await within('a subscription', reader.subscribeAsync(`${topic}/+`, { qos: 2 }));
  const writers = Array.from({ length: 4 }, (_, i) => new Writer(deployment, `${topic}/${i}`));
  t.after(() => {
    for (const writer of writers) writer.end();
  });
  const faults = setInterval(() => {
    deployment.functions.message.killAll();
    if (Math.random() < 0.2) deployment.gateway.cutAll();
  }, FAULT_EVERY_MS);
  t.after(() => clearInterval(faults));
  const untilMs = Date.now() + LOAD_MS;
  await Promise.all(writers.map((writer) => writer.load(untilMs)));
  clearInterval(faults);
  const acknowledged = writers.flatMap((writer) => writer.acknowledged);
  const missing = () => acknowledged.filter((text) => !got.includes(text));
  await within(
    'all that was acknowledged',
    eventually(() => missing().length === 0),
    DEADLINE_MS,
  ).catch(() => {});
  assert.deepEqual(missing(), []);
  const ofQos2 = got.filter((text) => text.startsWith('2 '));
  assert.deepEqual(ofQos2, [...new Set(ofQos2)], 'QoS 2 once');
  for (const { name } of writers) {
    const numbers = ofQos2.filter((text) => text.includes(` ${name} `)).map((text) => Number(text.split(' ')[2]));
    assert.deepEqual(
      numbers,
      numbers.toSorted((a, b) => a - b),
      'in order',
    );
  }
  assert.ok(acknowledged.length > 10, `${acknowledged.length} acknowledged`);
  t.diagnostic(`${acknowledged.length} acknowledged, ${got.length - new Set(got).size} of QoS 1 again`);
});

/** MQTT.js as it is used: it comes back by itself and sends again what was not acknowledged. */
function reconnecting({ url }: Deployment, options: IClientOptions): MqttClient {
  const often = { reconnectPeriod: 200, connectTimeout: 10_000, keepalive: 5, clean: false };
  return mqtt.connect(url, { ...THROUGH_GATEWAY, protocolVersion: 5, ...often, ...options });
}

class Writer {
  readonly acknowledged: string[] = [];
  readonly name = unique('writer');
  readonly #client: MqttClient;
  readonly #topic: string;

  constructor(deployment: Deployment, topic: string) {
    this.#topic = topic;
    this.#client = reconnecting(deployment, persistentOptions(5, this.name));
  }

  end(): void {
    this.#client.end(true);
  }

  /** One after the other of each QoS, both at once. */
  async load(untilMs: number): Promise<void> {
    await Promise.all([1, 2].map((qos) => this.#load(qos as 1 | 2, untilMs)));
  }

  async #load(qos: 1 | 2, untilMs: number): Promise<void> {
    for (let i = 0; Date.now() < untilMs; i += 1) {
      const text = `${qos} ${this.name} ${i}`;
      const published = this.#client.publishAsync(this.#topic, text, { qos });
      // Rejects for a connection that is lost, though MQTT.js goes on with it on the next.
      const isIn = await within(`${text} is acknowledged`, published, DEADLINE_MS).then(
        () => true,
        () => false,
      );
      if (isIn) this.acknowledged.push(text);
      else await new Promise((resume) => setTimeout(resume, 50));
    }
  }
}
