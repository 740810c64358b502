import assert from 'node:assert/strict';
import { after } from 'node:test';
import type { QoS } from 'mqtt-packet';
import { atBothLevels, StockClient, texts } from '../support/clients.js';
import { Program } from '../support/program.js';
import { noProperties, packetOf, persistent, RawClient } from '../support/raw-client.js';
import { unique } from '../support/waiting.js';

const program = await Program.start({ after });
const { url } = program;
const QOS: readonly QoS[] = [0, 1, 2];

atBothLevels('a message arrives with the lower of the two QoS, in every combination', async (level, t) => {
  const publisher = await StockClient.connect(t, url, level);
  for (const granted of QOS) {
    const topic = unique('qos');
    const subscriber = await StockClient.connect(t, url, level);
    assert.deepEqual(await subscriber.subscribe(topic, { qos: granted }), [granted]);
    for (const qos of QOS) await publisher.publish(topic, `sent at ${qos}`, { qos });
    const arrived = await subscriber.settled(publisher);
    assert.deepEqual(
      arrived.map(({ payload, qos, retain }) => [payload, qos, retain]).sort(),
      QOS.map((qos) => [`sent at ${qos}`, Math.min(qos, granted), false]),
    );
  }
});

for (const from of [4, 5] as const) {
  atBothLevels(`payloads from a publisher of level ${from} pass unchanged`, async (level, t) => {
    const topic = unique('binary');
    const subscriber = await StockClient.connect(t, url, level);
    const publisher = await StockClient.connect(t, url, from);
    const payloads: Buffer[] = [];
    subscriber.mqtt.on('message', (_topic, payload) => payloads.push(payload));
    await subscriber.subscribe(topic);
    const everyOctet = Buffer.from(Array.from({ length: 256 }, (_, octet) => octet));
    const sent = [everyOctet, Buffer.alloc(200_000, everyOctet), Buffer.alloc(0)];
    for (const payload of sent) await publisher.publish(topic, payload, { qos: 2 });
    await subscriber.messages.until('three payloads', (all) => all.length === sent.length);
    assert.deepEqual(payloads, sent);
  });
}

atBothLevels('messages of one publisher and QoS arrive in the order sent', async (level, t) => {
  const topic = unique('order');
  const subscriber = await StockClient.connect(t, url, level);
  const publisher = await StockClient.connect(t, url, level);
  await subscriber.subscribe(topic);
  const sent = Array.from({ length: 300 }, (_, i) => ({ payload: String(i), qos: QOS[i % 3] as QoS }));
  await Promise.all(sent.map(({ payload, qos }) => publisher.publish(topic, payload, { qos })));
  const arrived = await subscriber.messages.until('all of them', (all) => all.length === sent.length);
  for (const qos of QOS) {
    assert.deepEqual(
      arrived.filter((message) => message.qos === qos).map(({ payload }) => payload),
      sent.filter((message) => message.qos === qos).map(({ payload }) => payload),
    );
  }
});

atBothLevels('packets may be cut anywhere across frames, and share one', async (level, t) => {
  const topic = unique('frames');
  const clientId = unique('cut');
  const subscriber = await StockClient.connect(t, url, level);
  await subscriber.subscribe(topic);
  const raw = await RawClient.open(t, url, level);
  // [MQTT-6.0.0-4]
  const connect = packetOf(0x10, 'MQTT', Buffer.of(level, 0x02, 0, 0), noProperties(level), clientId);
  for (const octet of connect) raw.write(Buffer.of(octet));
  assert.equal((await raw.next('connack')).sessionPresent, false);
  const publish = (text: string) => packetOf(0x32, topic, Buffer.of(0, 7), noProperties(level), Buffer.from(text));
  const three = Buffer.concat([publish('one'), publish('two'), publish('three')]);
  raw.write(three.subarray(0, three.length - 4));
  raw.write(three.subarray(three.length - 4));
  for (const _ of ['one', 'two', 'three']) assert.equal((await raw.next('puback')).messageId, 7);
  assert.deepEqual(texts(await subscriber.settled(subscriber)), [`${topic} one`, `${topic} two`, `${topic} three`]);
});

atBothLevels(
  'a publisher that lost its connection before PUBREC sends again, and it arrives once',
  async (level, t) => {
    const topic = unique('twice');
    const subscriber = await StockClient.connect(t, url, level);
    await subscriber.subscribe(topic);
    const session = { clientId: unique('publisher'), ...persistent(level) };
    const publish = { cmd: 'publish', topic, payload: 'once', qos: 2, messageId: 5, retain: false } as const;

    const first = await RawClient.connect(t, url, level, session);
    first.client.send({ ...publish, dup: false });
    await first.client.drop();
    const second = await RawClient.connect(t, url, level, session);
    assert.equal(second.connack.sessionPresent, true);
    second.client.send({ ...publish, dup: true });
    assert.equal((await second.client.next('pubrec')).messageId, 5);
    // Once more, now that it is surely stored, and as MQTT.js does it: without DUP.
    await second.client.drop();
    const third = await RawClient.connect(t, url, level, session);
    third.client.send({ ...publish, dup: false });
    assert.equal((await third.client.next('pubrec')).messageId, 5);
    third.client.send({ cmd: 'pubrel', messageId: 5 });
    assert.equal((await third.client.next('pubcomp')).messageId, 5);
    // The identifier is free: this is another message.
    third.client.send({ ...publish, payload: 'another', dup: false });
    await third.client.next('pubrec');
    third.client.send({ cmd: 'pubrel', messageId: 5 });
    await third.client.next('pubcomp');

    assert.deepEqual(texts(await subscriber.settled(subscriber)), [`${topic} once`, `${topic} another`]);
  },
);

atBothLevels('a PUBREL that is sent again is answered again', async (level, t) => {
  const session = { clientId: unique('publisher'), ...persistent(level) };
  const first = await RawClient.connect(t, url, level, session);
  first.client.send({ cmd: 'publish', topic: 't', payload: '', qos: 2, messageId: 9, dup: false, retain: false });
  await first.client.next('pubrec');
  first.client.send({ cmd: 'pubrel', messageId: 9 });
  await first.client.next('pubcomp');
  await first.client.drop();
  const second = await RawClient.connect(t, url, level, session);
  second.client.send({ cmd: 'pubrel', messageId: 9 });
  assert.equal((await second.client.next('pubcomp')).messageId, 9);
});

atBothLevels('acknowledgements come in the order of the messages', async (level, t) => {
  const { client } = await RawClient.connect(t, url, level);
  const ids = Array.from({ length: 50 }, (_, i) => i + 1);
  for (const messageId of ids) {
    client.send({
      cmd: 'publish',
      topic: 't/ack',
      payload: 'x',
      qos: 1,
      messageId,
      dup: false,
      retain: messageId % 5 === 0,
    });
  }
  for (const messageId of ids) assert.equal((await client.next('puback')).messageId, messageId);
});
