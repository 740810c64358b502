import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { atBothLevels, persistentOptions, StockClient, texts } from '../support/clients.js';
import { Program } from '../support/program.js';
import { packetOf, persistent, RawClient } from '../support/raw-client.js';
import { unique } from '../support/waiting.js';

const program = await Program.start({ after });
const { url } = program;

atBothLevels('session present is said exactly when there is one', async (level, t) => {
  const id = unique('present');
  const kept = persistentOptions(level, id);
  const present = async (options: typeof kept) => {
    const client = await StockClient.connect(t, url, level, options);
    await client.disconnect();
    return client.connack.sessionPresent;
  };
  assert.equal(await present(kept), false, 'never there before');
  assert.equal(await present(kept), true, 'kept');
  assert.equal(await present({ clientId: id, clean: true }), false, 'asked to begin anew [MQTT-3.2.2-2]');
  assert.equal(await present(kept), false, 'the one before ended with its connection');
});

atBothLevels('a clean start ends the old session with its subscriptions and its queue', async (level, t) => {
  const [id, topic] = [unique('anew'), unique('topic')];
  const publisher = await StockClient.connect(t, url, level);
  const first = await StockClient.connect(t, url, level, persistentOptions(level, id));
  await first.subscribe(topic);
  await first.disconnect();
  await publisher.publish(topic, 'queued', { qos: 1 });
  const anew = await StockClient.connect(t, url, level, { ...persistentOptions(level, id), clean: true });
  assert.equal(anew.connack.sessionPresent, false);
  await publisher.publish(topic, 'not subscribed', { qos: 1 });
  assert.deepEqual(await anew.settled(publisher), []);
});

atBothLevels('what is published while a client is away arrives in order when it comes back', async (level, t) => {
  const topic = unique('away');
  const options = persistentOptions(level, unique('reader'));
  const first = await StockClient.connect(t, url, level, options);
  await first.subscribe(`${topic}/+`);
  await first.publish(`${topic}/0`, 'seen', { qos: 2 });
  await first.messages.take('a message while connected');
  await first.disconnect();
  const publisher = await StockClient.connect(t, url, level);
  const numbers = Array.from({ length: 200 }, (_, i) => String(i));
  for (const [i, payload] of numbers.entries()) {
    await publisher.publish(`${topic}/${i % 3}`, payload, { qos: i % 2 === 0 ? 2 : 1 });
  }
  const again = await StockClient.connect(t, url, level, options);
  assert.equal(again.connack.sessionPresent, true);
  await publisher.publish(`${topic}/0`, 'live', { qos: 2 });
  const arrived = await again.messages.until('all', (all) => all.length > numbers.length);
  for (const qos of [1, 2]) {
    const sent = numbers.filter((_, i) => i % 2 === 2 - qos);
    assert.deepEqual(
      arrived.filter((message) => message.qos === qos).map(({ payload }) => payload),
      qos === 2 ? [...sent, 'live'] : sent,
    );
  }
});

test('a session ends when its expiry has passed, and its will comes at the latest then', async (t) => {
  const [id, topic] = [unique('expiring'), unique('will')];
  const watcher = await StockClient.connect(t, url, 5);
  await watcher.subscribe(topic);
  const will = { topic, payload: Buffer.from('over'), qos: 1 as const, properties: { willDelayInterval: 1_000 } };
  const first = await StockClient.connect(t, url, 5, { ...persistentOptions(5, id, 1), will });
  await first.subscribe(unique('topic'));
  await first.drop();
  const lost = Date.now();
  // The will is what says that the session is over [MQTT-3.1.3-9].
  await watcher.messages.take('the will');
  const waitedMs = Date.now() - lost;
  assert.ok(waitedMs >= 900 && waitedMs < 4_000, `${waitedMs} ms`);
  const second = await StockClient.connect(t, url, 5, persistentOptions(5, id, 1));
  assert.equal(second.connack.sessionPresent, false);
});

test('a session that is come back to in time does not end', async (t) => {
  const id = unique('in-time');
  const first = await StockClient.connect(t, url, 5, persistentOptions(5, id, 60));
  await first.drop();
  const second = await StockClient.connect(t, url, 5, persistentOptions(5, id, 60));
  assert.equal(second.connack.sessionPresent, true);
});

test('DISCONNECT may shorten the expiry of the session', async (t) => {
  const id = unique('shortened');
  const { client } = await RawClient.connect(t, url, 5, { clientId: id, ...persistent(5) });
  client.send({ cmd: 'disconnect', reasonCode: 0, properties: { sessionExpiryInterval: 0 } });
  await client.closeCode();
  const again = await RawClient.connect(t, url, 5, { clientId: id, ...persistent(5) });
  assert.equal(again.connack.sessionPresent, false);
});

test('a client without an identifier is given one', async (t) => {
  const { client, connack } = await RawClient.connect(t, url, 5, { clientId: '' });
  const given = connack.properties?.assignedClientIdentifier ?? '';
  assert.notEqual(given, '');
  // It is the client's own from now on: whoever comes with it takes over.
  await RawClient.connect(t, url, 5, { clientId: given });
  assert.equal((await client.next('disconnect')).reasonCode, 0x8e);
});

test('a level 3.1.1 client without an identifier is taken if it is clean, and else refused by 0x02', async (t) => {
  const clean = await RawClient.connect(t, url, 4, { clientId: '' });
  assert.equal(clean.connack.returnCode, 0);
  const kept = await RawClient.open(t, url, 4);
  // mqtt-packet does not write this one.
  kept.write(packetOf(0x10, 'MQTT', Buffer.of(4, 0, 0, 0), ''));
  assert.equal((await kept.next('connack')).returnCode, 2);
  await kept.closeCode();
});

atBothLevels('a client that goes silent is closed after one and a half times its keep-alive', async (level, t) => {
  const topic = unique('silent');
  const watcher = await StockClient.connect(t, url, level);
  await watcher.subscribe(topic);
  const will = { topic, payload: Buffer.from('silent'), qos: 1 as const, retain: false };
  const { client } = await RawClient.connect(t, url, level, { keepalive: 1, will });
  const begun = Date.now();
  if (level === 5) assert.equal((await client.next('disconnect')).reasonCode, 0x8d);
  await client.closeCode();
  const lastedMs = Date.now() - begun;
  assert.ok(lastedMs >= 1_400 && lastedMs < 3_500, `closed after ${lastedMs} ms`);
  assert.equal(client.packets.all.length, level === 5 ? 2 : 1);
  await watcher.messages.find('the will', ({ payload }) => payload === 'silent');
});

atBothLevels('a client that pings outlives its keep-alive', async (level, t) => {
  const silent = await RawClient.connect(t, url, level, { keepalive: 2 });
  const pinging = await RawClient.connect(t, url, level, { keepalive: 1 });
  let pings = 0;
  const timer = setInterval(() => {
    pings += 1;
    pinging.client.send({ cmd: 'pingreq' });
  }, 400);
  t.after(() => clearInterval(timer));
  // Twice as long as the other would have had.
  await silent.client.closeCode();
  assert.deepEqual(await pinging.client.untilPong(), []);
  await pinging.client.packets.until('all answers', (all) => all.length >= pings);
});

atBothLevels('whoever comes with the same identifier takes the session over', async (level, t) => {
  const [id, topic] = [unique('taken'), unique('topic')];
  const first = await StockClient.connect(t, url, level, persistentOptions(level, id));
  await first.subscribe(topic);
  const second = await StockClient.connect(t, url, level, persistentOptions(level, id));
  assert.equal(second.connack.sessionPresent, true);
  await first.closed();
  assert.deepEqual(
    first.disconnects.all.map(({ reasonCode }) => reasonCode),
    level === 5 ? [0x8e] : [],
  );
  await second.publish(topic, 'mine', { qos: 1 });
  assert.deepEqual(texts(await second.settled(second)), [`${topic} mine`]);
  assert.equal(first.messages.all.length, 0);
});

atBothLevels('of many who come at once with one identifier exactly one stays', async (level, t) => {
  const id = unique('crowd');
  const crowd = await Promise.all(Array.from({ length: 8 }, () => RawClient.open(t, url, level)));
  let open = crowd.length;
  for (const client of crowd)
    client.closeCode(20_000).then(
      () => {
        open -= 1;
      },
      () => {},
    );
  for (const client of crowd) {
    client.send({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: level,
      clientId: id,
      keepalive: 0,
      clean: true,
    });
  }
  const codes = crowd.map((client) => client.closeCode());
  await Promise.any(codes.map(async (_, left) => Promise.all(codes.filter((_, i) => i !== left))));
  assert.equal(open, 1);
});
