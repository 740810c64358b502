import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { atBothLevels, type Message, StockClient, texts } from '../support/clients.js';
import { BACKING } from '../support/patience.js';
import { Program } from '../support/program.js';
import { unique } from '../support/waiting.js';

const program = await Program.start({ after });
const { url } = program;

atBothLevels('a new subscriber gets the last retained message, marked as such', async (level, t) => {
  const topic = unique('last');
  const publisher = await StockClient.connect(t, url, level);
  for (const payload of ['first', 'second', 'last']) await publisher.publish(topic, payload, { qos: 1, retain: true });
  await publisher.publish(topic, 'not retained', { qos: 1 });
  const subscriber = await StockClient.connect(t, url, level);
  await subscriber.subscribe(topic);
  const arrived = await subscriber.settled(publisher);
  assert.deepEqual(arrived.map(flags), [{ payload: 'last', retain: true, qos: 1 }]);
});

atBothLevels('a subscriber that was there gets a retained message like any other', async (level, t) => {
  const topic = unique('live');
  const subscriber = await StockClient.connect(t, url, level);
  await subscriber.subscribe(topic);
  await subscriber.publish(topic, 'live', { qos: 1, retain: true });
  const arrived = await subscriber.settled(subscriber);
  assert.deepEqual(arrived.map(flags), [{ payload: 'live', retain: false, qos: 1 }]);
});

atBothLevels('a wildcard brings every retained message that it matches', async (level, t) => {
  const root = unique('many');
  const publisher = await StockClient.connect(t, url, level);
  const vehicles = Array.from({ length: 250 }, (_, i) => `${root}/${i}/status`);
  await Promise.all(vehicles.map((topic) => publisher.publish(topic, topic, { qos: 1, retain: true })));
  await publisher.publish(`${root}/7/position`, 'other', { qos: 1, retain: true });
  await publisher.publish(`${root}/13/status`, '', { qos: 1, retain: true });
  const subscriber = await StockClient.connect(t, url, level);
  await subscriber.subscribe(`${root}/+/status`, { qos: 1 });
  const expected = vehicles.filter((topic) => topic !== `${root}/13/status`);
  // What a function has acknowledged the worker may read after the SUBSCRIBE: then it comes as new.
  const kept = (all: readonly Message[]) => all.filter(({ retain }) => retain || BACKING !== 'gateway');
  await subscriber.messages.until('all of them', (all) => kept(all).length >= expected.length);
  const settled = kept(await subscriber.settled(publisher));
  assert.deepEqual(settled.map(({ topic }) => topic).sort(), [...expected].sort());
  assert.ok(settled.every(({ retain, topic, payload }) => retain && topic === payload));
});

atBothLevels('an empty retained message clears, and itself arrives as an ordinary one', async (level, t) => {
  const topic = unique('cleared');
  const witness = await StockClient.connect(t, url, level);
  await witness.subscribe(topic);
  await witness.publish(topic, 'there', { qos: 1, retain: true });
  await witness.publish(topic, '', { qos: 1, retain: true });
  assert.deepEqual((await witness.settled(witness)).map(flags), [
    { payload: 'there', retain: false, qos: 1 },
    { payload: '', retain: false, qos: 1 },
  ]);
  const later = await StockClient.connect(t, url, level);
  await later.subscribe(topic);
  assert.deepEqual(await later.settled(witness), []);
});

atBothLevels('retained messages of every QoS are kept', async (level, t) => {
  const root = unique('kept');
  const publisher = await StockClient.connect(t, url, level);
  for (const qos of [0, 1, 2] as const) await publisher.publish(`${root}/${qos}`, 'x', { qos, retain: true });
  // QoS 0 has no acknowledgement of its own; what follows it on the connection has.
  await publisher.publish(`${root}/after`, '', { qos: 1 });
  const subscriber = await StockClient.connect(t, url, level);
  await subscriber.subscribe(`${root}/+`);
  const arrived = (await subscriber.settled(publisher)).map(({ topic, qos }) => `${topic} at ${qos}`);
  assert.deepEqual(
    arrived.sort(),
    [0, 1, 2].map((qos) => `${root}/${qos} at ${qos}`),
  );
});

atBothLevels('a client that subscribes again gets the retained messages again', async (level, t) => {
  const topic = unique('again');
  const client = await StockClient.connect(t, url, level, { resubscribe: false });
  await client.publish(topic, 'x', { qos: 1, retain: true });
  for (const times of [1, 2]) {
    await client.subscribe(topic, { qos: 1 });
    await client.messages.until(`the retained message, ${times}`, (all) => all.length >= times);
  }
  assert.deepEqual(texts(await client.settled(client)), [`${topic} x`, `${topic} x`]);
});

test('Retain Handling 0 brings retained messages always, 1 only to a new subscription, 2 never', async (t) => {
  for (const [rh, atFirst, atSecond] of [
    [0, 1, 2],
    [1, 1, 1],
    [2, 0, 0],
  ] as const) {
    const topic = unique('handling');
    const client = await StockClient.connect(t, url, 5, { resubscribe: false });
    await client.publish(topic, 'x', { qos: 1, retain: true });
    await client.subscribe(topic, { qos: 1, rh });
    await client.messages.until(`${atFirst} of handling ${rh}`, (all) => all.length >= atFirst);
    assert.equal((await client.settled(client)).length, atFirst, `handling ${rh}, a new subscription`);
    const before = client.messages.all.length;
    await client.subscribe(topic, { qos: 1, rh });
    await client.messages.until(`${atSecond} of handling ${rh}`, (all) => all.length >= before + atSecond - atFirst);
    assert.equal((await client.settled(client)).length, atSecond, `handling ${rh}, subscribed again`);
  }
});

test('Retain As Published keeps the flag of live messages', async (t) => {
  const topic = unique('published');
  const keeps = await StockClient.connect(t, url, 5);
  const clears = await StockClient.connect(t, url, 5);
  await keeps.subscribe(topic, { qos: 1, rap: true });
  await clears.subscribe(topic, { qos: 1, rap: false });
  await keeps.publish(topic, 'retained', { qos: 1, retain: true });
  await keeps.publish(topic, 'ordinary', { qos: 1 });
  assert.deepEqual(
    (await keeps.settled(keeps)).map(({ retain }) => retain),
    [true, false],
  );
  assert.deepEqual(
    (await clears.settled(keeps)).map(({ retain }) => retain),
    [false, false],
  );
});

function flags({ payload, retain, qos }: Message): Pick<Message, 'payload' | 'retain' | 'qos'> {
  return { payload, retain, qos };
}
