import assert from 'node:assert/strict';
import { after } from 'node:test';
import type { QoS } from 'mqtt-packet';
import { atBothLevels, StockClient } from '../support/clients.js';
import { Program } from '../support/program.js';
import { type Arrived, persistent, RawClient, type StockLevel } from '../support/raw-client.js';
import { type Scope, unique } from '../support/waiting.js';

const program = await Program.start({ after });
const { url } = program;

const MIXES: Readonly<Record<string, readonly QoS[]>> = {
  'QoS 1': [1, 1, 1, 1],
  'QoS 2': [2, 2, 2, 2],
  'QoS 1 and 2 together': [1, 2, 1, 2, 2, 1],
};

for (const [name, mix] of Object.entries(MIXES)) {
  // One QoS may overtake another when it is sent first, and then has to when it is sent again [MQTT-4.6.0-1].
  atBothLevels(
    `${name}: what was not acknowledged comes again, with its identifier, in the order sent`,
    async (level, t) => {
      const { topic, session, client } = await subscriber(t, level);
      const publisher = await StockClient.connect(t, url, level);
      await Promise.all(mix.map((qos, i) => publisher.publish(topic, String(i), { qos })));
      const first = await publishes(client, mix.length);
      assert.ok(first.every(({ dup }) => !dup));
      await client.drop();

      const again = await RawClient.connect(t, url, level, session);
      assert.equal(again.connack.sessionPresent, true);
      const second = await publishes(again.client, mix.length);
      assert.deepEqual(second.map(essence), first.map(essence));
      assert.ok(second.every(({ dup }) => dup));
    },
  );

  atBothLevels(`${name}: the same through kill -9, followed by what was published since`, async (level, t) => {
    const own = await Program.start(t);
    const { topic, session, client } = await subscriber(t, level, own.url);
    const publisher = await StockClient.connect(t, own.url, level);
    await Promise.all(mix.map((qos, i) => publisher.publish(topic, String(i), { qos })));
    const first = await publishes(client, mix.length);
    await own.kill();
    await own.start();
    const later = await StockClient.connect(t, own.url, level);
    await later.publish(topic, 'since', { qos: 2 });
    const again = await RawClient.connect(t, own.url, level, session);
    assert.equal(again.connack.sessionPresent, true);
    const second = await publishes(again.client, mix.length + 1);
    // What of QoS 1 was sent and not answered is in no row, it comes out of the log: order is kept within a QoS.
    for (const asked of [1, 2]) {
      const texts = (packets: Arrived<'publish'>[]) => packets.filter(({ qos }) => qos === asked).map(textOf);
      assert.deepEqual(texts(second), [...texts(first), ...(asked === 2 ? ['since'] : [])]);
    }
    // A QoS 2 message is known by its identifier; QoS 1 may come with another.
    const known = (packets: Arrived<'publish'>[]) => packets.filter(({ qos }) => qos === 2).map(essence);
    assert.deepEqual(known(second).slice(0, -1), known(first));
  });
}

atBothLevels('what was acknowledged does not come again', async (level, t) => {
  const { topic, session, client } = await subscriber(t, level);
  const publisher = await StockClient.connect(t, url, level);
  for (const payload of ['a', 'b', 'c']) await publisher.publish(topic, payload, { qos: 1 });
  const [, b] = await publishes(client, 3);
  client.send({ cmd: 'puback', messageId: b?.messageId ?? 0 });
  // The answer to a PINGREQ says that what was before it has been read.
  await client.untilPong();
  await client.drop();
  const again = await RawClient.connect(t, url, level, session);
  assert.deepEqual((await publishes(again.client, 2)).map(textOf), ['a', 'c']);
});

for (const how of ['a lost connection', 'kill -9'] as const) {
  atBothLevels(`after PUBREC only PUBREL is sent, also after ${how}`, async (level, t) => {
    const own = how === 'kill -9' ? await Program.start(t) : program;
    const { topic, session, client } = await subscriber(t, level, own.url);
    const publisher = await StockClient.connect(t, own.url, level);
    for (const payload of ['released', 'not received']) await publisher.publish(topic, payload, { qos: 2 });
    const [released, other] = await publishes(client, 2);
    client.send({ cmd: 'pubrec', messageId: released?.messageId ?? 0 });
    assert.equal((await client.next('pubrel')).messageId, released?.messageId);
    if (how === 'kill -9') {
      await own.kill();
      await own.start();
    } else {
      await client.drop();
    }
    const again = await RawClient.connect(t, own.url, level, session);
    const two = [await again.client.packets.take('a packet'), await again.client.packets.take('a packet')];
    const seen = two.map(({ cmd, messageId }) => `${cmd} ${messageId}`).sort();
    assert.deepEqual(seen, [`publish ${other?.messageId}`, `pubrel ${released?.messageId}`]);
    again.client.send({ cmd: 'pubcomp', messageId: released?.messageId ?? 0 });
    again.client.send({ cmd: 'pubrec', messageId: other?.messageId ?? 0 });
    await again.client.next('pubrel');
    again.client.send({ cmd: 'pubcomp', messageId: other?.messageId ?? 0 });
    await again.client.untilPong();
    await again.client.drop();
    const last = await RawClient.connect(t, own.url, level, session);
    assert.deepEqual(await last.client.untilPong(), []);
  });
}

atBothLevels('a message acknowledged just before kill -9 is there afterwards', async (level, t) => {
  const own = await Program.start(t);
  const { topic, session, client } = await subscriber(t, level, own.url);
  await client.drop();
  const publisher = await RawClient.connect(t, own.url, level);
  const send = (messageId: number, qos: QoS) =>
    publisher.client.send({
      cmd: 'publish',
      topic,
      payload: `${messageId}`,
      qos,
      messageId,
      dup: false,
      retain: false,
    });
  send(1, 1);
  send(2, 2);
  // Each QoS has an order of its own [MQTT-4.6.0-2] [MQTT-4.6.0-3].
  const answered = (all: readonly { cmd?: string }[]) =>
    ['puback', 'pubrec'].every((cmd) => all.some((each) => each.cmd === cmd));
  await publisher.client.packets.until('both answers', answered);
  await own.kill();
  await own.start();
  const again = await RawClient.connect(t, own.url, level, session);
  assert.deepEqual((await publishes(again.client, 2)).map(textOf), ['1', '2']);
});

atBothLevels('a publisher that saw PUBREC before kill -9 completes, and the message arrives once', async (level, t) => {
  const own = await Program.start(t);
  const reader = await subscriber(t, level, own.url);
  await reader.client.drop();
  const session = { clientId: unique('publisher'), ...persistent(level) };
  const publish = { cmd: 'publish', topic: reader.topic, payload: 'x', qos: 2, messageId: 3, retain: false } as const;
  const first = await RawClient.connect(t, own.url, level, session);
  first.client.send({ ...publish, dup: false });
  await first.client.next('pubrec');
  await own.kill();
  await own.start();
  const second = await RawClient.connect(t, own.url, level, session);
  assert.equal(second.connack.sessionPresent, true);
  // Its PUBREC may have been lost on the way, as far as the server knows.
  second.client.send({ ...publish, dup: true });
  await second.client.next('pubrec');
  second.client.send({ cmd: 'pubrel', messageId: 3 });
  await second.client.next('pubcomp');
  const marker = await StockClient.connect(t, own.url, level);
  await marker.publish(reader.topic, 'marker', { qos: 2 });
  const again = await RawClient.connect(t, own.url, level, reader.session);
  assert.deepEqual((await publishes(again.client, 2)).map(textOf), ['x', 'marker']);
});

/** A raw client of a session that persists, subscribed at QoS 2. */
async function subscriber(scope: Scope, level: StockLevel, at = url) {
  const topic = unique('resumed');
  const session = { clientId: unique('subscriber'), ...persistent(level) };
  const { client } = await RawClient.connect(scope, at, level, session);
  client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos: 2 }] });
  await client.next('suback');
  return { topic, session, client };
}

async function publishes(client: RawClient, count: number): Promise<Arrived<'publish'>[]> {
  const packets: Arrived<'publish'>[] = [];
  while (packets.length < count) packets.push(await client.next('publish'));
  return packets;
}

function textOf({ payload }: Arrived<'publish'>): string {
  return payload.toString();
}

function essence({ messageId, payload, qos }: Arrived<'publish'>): string {
  return `${messageId}: ${payload} at ${qos}`;
}
