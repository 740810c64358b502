import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { persistentOptions, StockClient, texts } from '../support/clients.js';
import { Program } from '../support/program.js';
import { packetOf, RawClient, stringOf, variableByteInteger } from '../support/raw-client.js';
import { unique, within } from '../support/waiting.js';

const program = await Program.start({ after });
const { url } = program;

test('what describes a message is carried from publisher to subscriber', async (t) => {
  const topic = unique('described');
  const properties = {
    payloadFormatIndicator: true,
    contentType: 'application/json',
    responseTopic: 'answers/here',
    correlationData: Buffer.from([0, 1, 0xff, 0x80]),
    userProperties: { line: '17', stop: ['Ost', 'Süd'] },
  };
  const subscriber = await StockClient.connect(t, url, 5);
  const publisher = await StockClient.connect(t, url, 5);
  await subscriber.subscribe(topic);
  for (const qos of [0, 1, 2] as const) {
    await publisher.publish(topic, `{"qos":${qos}}`, { qos, properties });
    const message = await subscriber.messages.take('the message');
    assert.deepEqual({ ...message.properties, userProperties: { ...message.properties.userProperties } }, properties);
  }
});

test('user properties keep their order, also where a name repeats', async (t) => {
  const topic = unique('ordered');
  const subscriber = await RawClient.connect(t, url, 5);
  subscriber.client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos: 1 }] });
  await subscriber.client.next('suback');
  const publisher = await RawClient.connect(t, url, 5);
  // mqtt-packet groups by name, and so can neither write nor read this [MQTT-3.3.2-18].
  const pairs = ['z=1', 'a=2', 'z=3', '=', 'a=1', 'a=1'].map((pair) => pair.split('=') as [string, string]);
  const list = Buffer.concat(pairs.flatMap(([name, value]) => [Buffer.of(0x26), stringOf(name), stringOf(value)]));
  publisher.client.write(
    packetOf(0x32, topic, Buffer.of(0, 1), variableByteInteger(list.length), list, Buffer.from('x')),
  );
  const { bytes } = await subscriber.client.next('publish');
  assert.ok(bytes.includes(list), bytes.toString('hex'));
});

test('aliases stand for topics, each way by itself, and only where a client takes them', async (t) => {
  const topic = unique('aliased');
  const subscriber = await StockClient.connect(t, url, 5, { properties: { topicAliasMaximum: 2 } });
  await subscriber.subscribe(`${topic}/+`);
  const publisher = await StockClient.connect(t, url, 5, { autoAssignTopicAlias: true });
  const sent: string[] = [];
  for (let i = 0; i < 40; i += 1) {
    const to = `${topic}/${i % 5}`;
    await publisher.publish(to, String(i), { qos: 1 });
    sent.push(`${to} ${i}`);
  }
  const arrived = await subscriber.messages.until('all', (all) => all.length === sent.length);
  // MQTT.js puts the topic back, and closes on an alias above its maximum.
  assert.deepEqual(texts(arrived), sent);
  const plain = await RawClient.connect(t, url, 5);
  plain.client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: `${topic}/+`, qos: 0 }] });
  await plain.client.next('suback');
  await publisher.publish(`${topic}/1`, 'plain', { qos: 1 });
  const { topic: named, properties } = await plain.client.next('publish');
  assert.deepEqual([named, properties?.topicAlias], [`${topic}/1`, undefined]);
});

test('a level 3.1.1 subscriber gets a described message without its properties', async (t) => {
  const topic = unique('plain');
  const subscriber = await StockClient.connect(t, url, 4);
  const publisher = await StockClient.connect(t, url, 5);
  await subscriber.subscribe(topic);
  await publisher.publish(topic, 'payload', { qos: 2, properties: { contentType: 'text/plain' } });
  assert.equal((await subscriber.messages.take('the message')).payload, 'payload');
});

test('the expiry of a message counts down while it waits, and one that has expired is not delivered', async (t) => {
  const topic = unique('expiring');
  const options = persistentOptions(5, unique('offline'));
  const offline = await StockClient.connect(t, url, 5, options);
  await offline.subscribe(topic, { qos: 1 });
  await offline.disconnect();
  const publisher = await StockClient.connect(t, url, 5);
  const expiring = (messageExpiryInterval: number) => ({ qos: 1 as const, properties: { messageExpiryInterval } });
  await publisher.publish(topic, 'short', expiring(1));
  await publisher.publish(topic, 'long', expiring(100));
  await publisher.publish(topic, 'eternal', { qos: 1 });
  await publisher.publish(topic, 'retained short', { ...expiring(1), retain: true });
  await secondsPass(t, 2);

  const online = await StockClient.connect(t, url, 5, options);
  await online.subscribe(topic, { qos: 1 });
  const arrived = await online.settled(publisher);
  assert.deepEqual(
    arrived.map(({ payload }) => payload),
    ['long', 'eternal'],
  );
  const [long, eternal] = arrived;
  const left = long?.properties.messageExpiryInterval ?? 0;
  assert.ok(left >= 90 && left <= 98, `${left} s of 100 are left after 2 s`);
  assert.equal(eternal?.properties.messageExpiryInterval, undefined);
});

test('the expiry of a message that does not wait is passed on', async (t) => {
  const topic = unique('passed');
  const client = await StockClient.connect(t, url, 5);
  await client.subscribe(topic);
  await client.publish(topic, 'x', { qos: 1, properties: { messageExpiryInterval: 100 } });
  const left = (await client.messages.take('the message')).properties.messageExpiryInterval ?? 0;
  assert.ok(left >= 98 && left <= 100, `${left} s of 100 are left at once`);
});

test('the properties of a will are those of its message', async (t) => {
  const topic = unique('will');
  const watcher = await StockClient.connect(t, url, 5);
  await watcher.subscribe(topic);
  const properties = { contentType: 'text/plain', responseTopic: 'r', userProperties: { reason: 'lost' } };
  const will = { topic, payload: Buffer.from('gone'), qos: 1 as const, properties };
  const mortal = await StockClient.connect(t, url, 5, { will });
  await mortal.drop();
  const message = await watcher.messages.take('the will');
  assert.deepEqual({ ...message.properties, userProperties: { ...message.properties.userProperties } }, properties);
});

/** The program's own clock: a will that is delayed so long has come. */
async function secondsPass(scope: { after(end: () => Promise<void>): void }, seconds: number): Promise<void> {
  const topic = unique('clock');
  const watcher = await StockClient.connect(scope, url, 5);
  await watcher.subscribe(topic);
  const will = { topic, payload: Buffer.from('now'), qos: 1 as const, properties: { willDelayInterval: seconds } };
  const clock = await StockClient.connect(scope, url, 5, { will, ...persistentOptions(5, unique('clock')) });
  await clock.drop();
  await within(`${seconds} s pass`, watcher.messages.take('the delayed will', (seconds + 4) * 1_000), 30_000);
}
