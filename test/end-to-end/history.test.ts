import assert from 'node:assert/strict';
import { after, type TestContext, test } from 'node:test';
import { persistentOptions, StockClient } from '../support/clients.js';
import { Program } from '../support/program.js';
import { unique } from '../support/waiting.js';

const program = await Program.start({ after });
const { url } = program;

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => String(from + i));
const asking = (from: string, qos: 0 | 1 | 2 = 2) => ({
  qos,
  properties: { userProperties: { 'pulsegate-from': from } },
});

async function publishAll(t: TestContext, at: string, topic: string, payloads: readonly string[], qos: 0 | 1 | 2 = 2) {
  const publisher = await StockClient.connect(t, at, 5);
  await Promise.all(payloads.map((payload) => publisher.publish(topic, payload, { qos })));
  return publisher;
}

test('history comes first and what is new follows, without a gap and without a repeat, while publishing goes on', async (t) => {
  const topic = unique('feed');
  const publisher = await publishAll(t, url, `${topic}/a`, numbers(0, 1_500));
  const late = Promise.all(
    numbers(1_500, 3_000).map((payload) => publisher.publish(`${topic}/a`, payload, { qos: 2 })),
  );
  const subscriber = await StockClient.connect(t, url, 5);
  await subscriber.subscribe(`${topic}/+`, asking('earliest'));
  await late;
  const messages = await subscriber.messages.until('all of the feed', (all) => all.length >= 3_000, 20_000);
  assert.deepEqual(
    messages.map(({ payload }) => payload),
    numbers(0, 3_000),
  );
});

test('a time and a duration say where history begins', async (t) => {
  const topic = unique('since');
  const publisher = await publishAll(t, url, topic, ['early'], 1);
  const between = Date.now() + 1;
  while (Date.now() <= between) await new Promise((resolve) => setImmediate(resolve));
  await publisher.publish(topic, 'late', { qos: 1 });
  const payloadsFrom = async (from: string) => {
    const subscriber = await StockClient.connect(t, url, 5);
    await subscriber.subscribe(topic, asking(from));
    const last = `last ${unique('word')}`;
    await publisher.publish(topic, last, { qos: 1 });
    await subscriber.messages.find('the last', ({ payload }) => payload === last);
    return subscriber.messages.all.map(({ payload }) => payload).filter((payload) => !payload.startsWith('last'));
  };
  assert.deepEqual(await payloadsFrom(new Date(between).toISOString()), ['late']);
  assert.deepEqual(await payloadsFrom('-15m'), ['early', 'late']);
  assert.deepEqual(await payloadsFrom('2999-01-01T00:00:00Z'), []);
});

test('what cannot be understood is refused with the reason, and nothing is subscribed to', async (t) => {
  const subscriber = await StockClient.connect(t, url, 5);
  await assert.rejects(subscriber.subscribe(unique('topic'), asking('yesterday')), /Implementation specific|0x83|131/);
});

test('history at QoS 0 is as large as it is, and all of it arrives', async (t) => {
  const topic = unique('bulk');
  const publisher = await StockClient.connect(t, url, 5);
  const payload = 'x'.repeat(20_000);
  for (let i = 0; i < 20; i += 1) {
    await Promise.all(Array.from({ length: 100 }, () => publisher.publish(topic, payload, { qos: 1 })));
  }
  const subscriber = await StockClient.connect(t, url, 5);
  await subscriber.subscribe(topic, asking('earliest', 0));
  await subscriber.messages.until('forty megabytes', (all) => all.length >= 2_000, 20_000);
});

test('a crash in the middle of history repeats no QoS 2 and loses nothing', async (t) => {
  const own = await Program.start(t);
  const topic = unique('crash');
  await publishAll(t, own.url, topic, numbers(0, 1_000));
  const clientId = unique('reader');
  const got: string[] = [];
  // The client is one that keeps its own state: MQTT.js has its incoming store in memory, which the test hands on.
  const first = await StockClient.connect(t, own.url, 5, persistentOptions(5, clientId));
  await first.subscribe(topic, asking('earliest'));
  await first.messages.until('some', (all) => all.length >= 150);
  await own.kill();
  await first.closed();
  got.push(...first.messages.all.map(({ payload }) => payload));
  await own.start();
  const second = await StockClient.connect(t, own.url, 5, {
    ...persistentOptions(5, clientId),
    incomingStore: first.mqtt.incomingStore,
  });
  await second.messages.until(
    'the rest',
    (all) => new Set([...got, ...all.map((m) => m.payload)]).size >= 1_000,
    20_000,
  );
  const publisher = await publishAll(t, own.url, topic, ['new']);
  await second.messages.find('what is new', ({ payload }) => payload === 'new');
  await publisher.disconnect();
  got.push(...second.messages.all.map(({ payload }) => payload));
  assert.deepEqual([...new Set(got)].sort(), [...numbers(0, 1_000), 'new'].sort());
  assert.ok(got.length - new Set(got).size <= 0, `${got.length} messages, ${new Set(got).size} different`);
});
