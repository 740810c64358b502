import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { IClientOptions } from 'mqtt';
import { atBothLevels, persistentOptions, StockClient, texts } from '../support/clients.js';
import { Program } from '../support/program.js';
import { unique } from '../support/waiting.js';

const program = await Program.start({ after });
const { url } = program;

atBothLevels('the will of a client that lost its connection is published, at its QoS', async (level, t) => {
  for (const qos of [0, 1, 2] as const) {
    const topic = unique('lost');
    const watcher = await StockClient.connect(t, url, level);
    await watcher.subscribe(topic);
    const mortal = await StockClient.connect(t, url, level, { will: { ...willOf(topic), qos } });
    await mortal.drop();
    const { payload, qos: arrivedAt, retain } = await watcher.messages.take('the will');
    assert.deepEqual([payload, arrivedAt, retain], ['gone', qos, false]);
  }
});

atBothLevels('DISCONNECT takes the will back', async (level, t) => {
  const topic = unique('clean');
  const watcher = await StockClient.connect(t, url, level);
  await watcher.subscribe(topic);
  const polite = await StockClient.connect(t, url, level, { will: willOf(topic) });
  await polite.disconnect();
  // Whoever is lost later has a will that comes later.
  const lost = await StockClient.connect(t, url, level, { will: { ...willOf(topic), payload: Buffer.from('later') } });
  await lost.drop();
  await watcher.messages.find('the later will', ({ payload }) => payload === 'later');
  assert.deepEqual(texts(await watcher.settled(watcher)), [`${topic} later`]);
});

test('DISCONNECT with 0x04 asks for the will', async (t) => {
  const topic = unique('asked');
  const watcher = await StockClient.connect(t, url, 5);
  await watcher.subscribe(topic);
  const client = await StockClient.connect(t, url, 5, { will: willOf(topic) });
  await client.disconnect(0x04);
  await watcher.messages.take('the will');
});

atBothLevels('a retained will is there for who subscribes later', async (level, t) => {
  const topic = unique('status');
  const watcher = await StockClient.connect(t, url, level);
  await watcher.subscribe(topic);
  const mortal = await StockClient.connect(t, url, level, { will: { ...willOf(topic), retain: true } });
  await mortal.publish(topic, 'online', { qos: 1, retain: true });
  await mortal.drop();
  await watcher.messages.find('the will', ({ payload }) => payload === 'gone');
  const later = await StockClient.connect(t, url, level);
  await later.subscribe(topic);
  const [status] = await later.settled(watcher);
  assert.deepEqual([status?.payload, status?.retain], ['gone', true]);
});

atBothLevels(
  'the will of a client that is taken over is published before what its successor says',
  async (level, t) => {
    const [topic, id] = [unique('status'), unique('taken')];
    const watcher = await StockClient.connect(t, url, level);
    await watcher.subscribe(topic);
    const options = { ...persistentOptions(level, id), will: { ...willOf(topic), retain: true } };
    for (let life = 1; life <= 20; life += 1) {
      const client = await StockClient.connect(t, url, level, options);
      await client.publish(topic, `online ${life}`, { qos: 1, retain: true });
    }
    const said = texts(await watcher.settled(watcher)).map((text) => text.slice(topic.length + 1));
    const lives = Array.from({ length: 20 }, (_, i) => `online ${i + 1}`);
    assert.deepEqual(said, lives.flatMap((life) => [life, 'gone']).slice(0, -1));
    const later = await StockClient.connect(t, url, level);
    await later.subscribe(topic);
    assert.deepEqual(texts(await later.settled(watcher)), [`${topic} online 20`]);
  },
);

test('a will with delay comes after it, and not at all if the client is back in time', async (t) => {
  const topic = unique('delayed');
  const watcher = await StockClient.connect(t, url, 5);
  await watcher.subscribe(topic);
  const back = delayed(topic, 'of who came back', 1);
  const gone = delayed(topic, 'of who did not', 1);
  const first = await StockClient.connect(t, url, 5, back);
  await first.drop();
  await StockClient.connect(t, url, 5, { ...back, properties: { sessionExpiryInterval: 60 } });
  const second = await StockClient.connect(t, url, 5, gone);
  await second.drop();
  const lost = Date.now();
  await watcher.messages.take('a will');
  const waitedMs = Date.now() - lost;
  assert.ok(waitedMs >= 900 && waitedMs < 4_000, `${waitedMs} ms`);
  // The other was lost earlier, so its will would have come earlier.
  assert.deepEqual(texts(await watcher.settled(watcher)), [`${topic} of who did not`]);
});

test('the end of the session does not wait for the delay of the will', async (t) => {
  const topic = unique('ended');
  const watcher = await StockClient.connect(t, url, 5);
  await watcher.subscribe(topic);
  const options = delayed(topic, 'ended', 1_000);
  const client = await StockClient.connect(t, url, 5, options);
  await client.drop();
  await StockClient.connect(t, url, 5, { clientId: client.id, clean: true });
  await watcher.messages.take('the will');
});

atBothLevels('clients that the program lost by its own death have their wills published', async (level, t) => {
  const own = await Program.start(t);
  const topic = unique('crash');
  const options = persistentOptions(level, unique('watcher'));
  const watcher = await StockClient.connect(t, own.url, level, options);
  await watcher.subscribe(`${topic}/+`);
  for (const name of ['a', 'b', 'c']) {
    await StockClient.connect(t, own.url, level, { clientId: `${topic}-${name}`, will: willOf(`${topic}/${name}`) });
  }
  await own.kill();
  await own.start();
  const again = await StockClient.connect(t, own.url, level, options);
  const wills = await again.messages.until('three wills', (all) => all.length >= 3);
  assert.deepEqual(texts(wills).sort(), [`${topic}/a gone`, `${topic}/b gone`, `${topic}/c gone`]);
});

function willOf(topic: string): NonNullable<IClientOptions['will']> {
  return { topic, payload: Buffer.from('gone'), qos: 1, retain: false };
}

function delayed(topic: string, payload: string, willDelayInterval: number): IClientOptions {
  const will = { topic, payload: Buffer.from(payload), qos: 1 as const, properties: { willDelayInterval } };
  return { ...persistentOptions(5, unique('delayed')), will };
}
