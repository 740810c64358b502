import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { atBothLevels, StockClient, texts } from '../support/clients.js';
import { Program } from '../support/program.js';
import { type Arrived, hex, packetOf, RawClient } from '../support/raw-client.js';
import { unique } from '../support/waiting.js';

const program = await Program.start({ after });
const { url } = program;

/** Below one root: filter, topics that it matches, topics that it does not (section 4.7). */
const FILTERS: readonly (readonly [filter: string, matching: readonly string[], other: readonly string[]])[] = [
  ['a', ['a'], ['a/b', 'A', 'b', 'a/']],
  ['a/+/c', ['a/b/c', 'a//c'], ['a/c', 'a/b/c/d', 'a/b/b/c']],
  ['+/b', ['a/b', '/b'], ['b', 'a/b/c']],
  ['a/+', ['a/b', 'a/'], ['a', 'a/b/c']],
  ['a/#', ['a', 'a/b', 'a/b/c', 'a/'], ['b', 'ab']],
  ['+/+/#', ['a/b', 'a/b/c/d', '/b'], ['a']],
];

for (const [filter, matching, other] of FILTERS) {
  atBothLevels(`${filter} matches ${matching.join(', ')} and not ${other.join(', ')}`, async (level, t) => {
    const root = unique('filter');
    const subscriber = await StockClient.connect(t, url, level);
    const publisher = await StockClient.connect(t, url, level);
    await subscriber.subscribe(`${root}/${filter}`);
    for (const topic of [...other, ...matching]) await publisher.publish(`${root}/${topic}`, 'x', { qos: 2 });
    assert.deepEqual(
      texts(await subscriber.settled(publisher)),
      matching.map((topic) => `${root}/${topic} x`),
    );
  });
}

atBothLevels('a filter that begins with a wildcard does not match topics that begin with $', async (level, t) => {
  const name = unique('name');
  const all = await StockClient.connect(t, url, level);
  const anyFirst = await StockClient.connect(t, url, level);
  const named = await StockClient.connect(t, url, level);
  await all.subscribe('#');
  await anyFirst.subscribe(`+/${name}`);
  await named.subscribe(`$local/${name}`);
  const publisher = await StockClient.connect(t, url, level);
  await publisher.publish(`$local/${name}`, 'with $', { qos: 2 });
  await publisher.publish(`local/${name}`, 'without', { qos: 2 });
  assert.deepEqual(texts(await anyFirst.settled(publisher)), [`local/${name} without`]);
  assert.deepEqual(texts(await named.settled(publisher)), [`$local/${name} with $`]);
  const seen = (await all.settled(publisher)).filter(({ topic }) => topic.endsWith(name));
  assert.deepEqual(texts(seen), [`local/${name} without`]);
});

atBothLevels('what was acknowledged before SUBSCRIBE does not come as new', async (level, t) => {
  const root = unique('earlier');
  const publisher = await StockClient.connect(t, url, level);
  const witness = await StockClient.connect(t, url, level);
  // Somebody reads it already, and is behind.
  await witness.subscribe(`${root}/#`);
  for (let round = 0; round < 20; round += 1) {
    const burst = Array.from({ length: 20 }, (_, i) => publisher.publish(`${root}/${i}`, `${round}`, { qos: 1 }));
    await Promise.all([...burst, publisher.publish(`${root}/kept`, `${round}`, { qos: 1, retain: true })]);
    const newcomer = await StockClient.connect(t, url, level);
    await newcomer.subscribe(`${root}/#`);
    await newcomer.messages.until('the retained message', (all) => all.length > 0);
    const arrived = await newcomer.settled(publisher);
    assert.deepEqual(
      arrived.map(({ topic, payload, retain }) => ({ topic, payload, retain })),
      [{ topic: `${root}/kept`, payload: `${round}`, retain: true }],
    );
    await newcomer.disconnect();
  }
});

atBothLevels('after UNSUBACK nothing more arrives, and other filters stay', async (level, t) => {
  const [left, kept] = [unique('left'), unique('kept')];
  const subscriber = await StockClient.connect(t, url, level);
  await subscriber.subscribe([left, kept]);
  await subscriber.publish(left, 'before', { qos: 1 });
  await subscriber.messages.take('the message before');
  await subscriber.unsubscribe(left);
  await subscriber.publish(left, 'after', { qos: 1 });
  await subscriber.publish(kept, 'still', { qos: 1 });
  assert.deepEqual(texts(await subscriber.settled(subscriber)), [`${left} before`, `${kept} still`]);
});

atBothLevels('a filter subscribed again takes the new QoS and stays one subscription', async (level, t) => {
  const topic = unique('again');
  const subscriber = await StockClient.connect(t, url, level);
  assert.deepEqual(await subscriber.subscribe(topic, { qos: 0 }), [0]);
  assert.deepEqual(await subscriber.subscribe(topic, { qos: 1 }), [1]);
  await subscriber.publish(topic, 'x', { qos: 2 });
  const arrived = await subscriber.settled(subscriber);
  assert.deepEqual(
    arrived.map(({ payload, qos }) => [payload, qos]),
    [['x', 1]],
  );
});

atBothLevels('overlapping filters bring one copy, or one each, the best at the highest QoS', async (level, t) => {
  const root = unique('overlap');
  const subscriber = await StockClient.connect(t, url, level);
  await subscriber.subscribe(`${root}/+`, { qos: 0 });
  await subscriber.subscribe(`${root}/#`, { qos: 2 });
  await subscriber.subscribe(`${root}/a`, { qos: 1 });
  await subscriber.publish(`${root}/a`, 'x', { qos: 2 });
  const copies = (await subscriber.settled(subscriber)).map(({ qos }) => qos).sort();
  // Both are what [MQTT-3.3.4-2] and [MQTT-3.3.5-1] allow.
  if (copies.length === 1) assert.deepEqual(copies, [2]);
  else assert.deepEqual(copies, [0, 1, 2]);
});

test('with No Local a client does not get its own messages, and others do', async (t) => {
  const topic = unique('own');
  const quiet = await StockClient.connect(t, url, 5);
  const other = await StockClient.connect(t, url, 5);
  await quiet.subscribe(topic, { qos: 2, nl: true });
  await other.subscribe(topic, { qos: 2, nl: true });
  await quiet.publish(topic, 'of quiet', { qos: 2 });
  await other.publish(topic, 'of other', { qos: 2 });
  assert.deepEqual(texts(await quiet.settled(other)), [`${topic} of other`]);
  assert.deepEqual(texts(await other.settled(other)), [`${topic} of quiet`]);
});

test('one SUBSCRIBE with several filters is answered for each, in order', async (t) => {
  const { client } = await RawClient.connect(t, url, 5);
  const subscriptions = [
    { topic: 'a/b', qos: 2 as const },
    { topic: '$share/group/+a', qos: 1 as const },
    { topic: 'a/+/c', qos: 0 as const },
  ];
  client.send({ cmd: 'subscribe', messageId: 3, subscriptions });
  const suback = await client.next('suback');
  assert.deepEqual([suback.messageId, suback.granted], [3, [2, 0x8f, 0]]);
});

test('UNSUBSCRIBE says which filters there were', async (t) => {
  const { client } = await RawClient.connect(t, url, 5);
  client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'a', qos: 0 }] });
  await client.next('suback');
  client.send({ cmd: 'unsubscribe', messageId: 2, unsubscriptions: ['a', 'never'] });
  assert.deepEqual((await client.next('unsuback')).granted, [0, 0x11]);
});

test('a message carries the identifiers of the subscriptions that it matches', async (t) => {
  const topic = unique('identified');
  const { client } = await RawClient.connect(t, url, 5);
  const subscribe = async (messageId: number, filter: string, subscriptionIdentifier?: number) => {
    const properties = subscriptionIdentifier === undefined ? {} : { properties: { subscriptionIdentifier } };
    client.send({ cmd: 'subscribe', messageId, subscriptions: [{ topic: filter, qos: 1 }], ...properties });
    await client.next('suback');
  };
  await subscribe(1, `${topic}/a`, 7);
  await subscribe(2, `${topic}/+`, 268_435_455);
  await subscribe(3, `${topic}/b`);
  await subscribe(4, `${topic}/a`, 8);
  client.send({ cmd: 'publish', topic: `${topic}/a`, payload: 'x', qos: 1, messageId: 9, dup: false, retain: false });
  client.send({ cmd: 'publish', topic: `${topic}/b`, payload: 'y', qos: 1, messageId: 10, dup: false, retain: false });
  await client.packets.until('both', (all) => publishesOf(all).at(-1)?.payload.toString() === 'y');
  await client.packets.until('their acknowledgements', (all) => all.filter(({ cmd }) => cmd === 'puback').length === 2);
  // One copy with all, or one copy each [MQTT-3.3.4-3] [MQTT-3.3.4-4]; the identifier of a filter is the newest.
  const identifiers = (payload: string) =>
    publishesOf(client.packets.all)
      .filter((publish) => publish.payload.toString() === payload)
      .flatMap(({ properties }) => properties?.subscriptionIdentifier ?? [])
      .sort((left, right) => left - right);
  assert.deepEqual(identifiers('x'), [8, 268_435_455]);
  assert.deepEqual(identifiers('y'), [268_435_455]);
});

test('subscription identifier 0 is refused', async (t) => {
  const { client } = await RawClient.connect(t, url, 5);
  client.write(packetOf(0x82, hex('0001 02 0b00'), 'a/b', hex('00')));
  assert.ok([0x81, 0x82].includes((await client.next('disconnect')).reasonCode ?? 0));
  await client.closeCode();
});

test('a level 3.1.1 client is refused a malformed shared subscription by 0x80', async (t) => {
  const { client } = await RawClient.connect(t, url, 4);
  client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: '$share/group/+a', qos: 1 }] });
  assert.deepEqual((await client.next('suback')).granted, [0x80]);
});

atBothLevels('$SYS says what the server does, and is not for clients to write', async (level, t) => {
  const reader = await StockClient.connect(t, url, level);
  await reader.subscribe('$SYS/broker/#');
  const version = await reader.messages.find('the version', ({ topic }) => topic === '$SYS/broker/version');
  assert.match(version.payload, /^pulsegate \d+\.\d+\.\d+$/);
  assert.equal(version.retain, true);
  await reader.messages.find('the clients', ({ topic }) => topic === '$SYS/broker/clients/connected');
  const writer = await StockClient.connect(t, url, level);
  const forged = writer.publish('$SYS/broker/version', 'forged', { qos: 1, retain: true });
  if (level === 5) await assert.rejects(forged, /Not authorized/);
  else await forged;
  const later = await StockClient.connect(t, url, level);
  await later.subscribe('$SYS/broker/version');
  assert.deepEqual(texts(await later.settled(writer)), [`$SYS/broker/version ${version.payload}`]);
});

function publishesOf(packets: readonly Arrived[]): Arrived<'publish'>[] {
  return packets.flatMap((packet) => (packet.cmd === 'publish' ? [packet as Arrived<'publish'>] : []));
}
