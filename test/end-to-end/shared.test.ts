import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { atBothLevels, persistentOptions, StockClient } from '../support/clients.js';
import { Program } from '../support/program.js';
import { RawClient } from '../support/raw-client.js';
import { unique } from '../support/waiting.js';

const program = await Program.start({ after });
const { url } = program;

const numbers = (count: number) => Array.from({ length: count }, (_, i) => String(i));
const sorted = (payloads: readonly string[]) => [...payloads].sort((a, b) => Number(a) - Number(b));

atBothLevels('each publication goes to one member of a share, in turn, and in order to each', async (level, t) => {
  const topic = unique('turns');
  const publisher = await StockClient.connect(t, url, level);
  const members = await Promise.all([4, 5, level].map((own) => StockClient.connect(t, url, own as 4 | 5)));
  for (const member of members) await member.subscribe(`$share/group/${topic}/+`);
  for (const number of numbers(30)) await publisher.publish(`${topic}/a`, number, { qos: 1 });
  // What a member asks meanwhile gives its turn to another.
  for (const member of members) await member.messages.until('its third', (all) => all.length >= 10);
  const got = [];
  for (const member of members) got.push((await member.settled(publisher)).map(({ payload }) => payload));
  assert.deepEqual(
    got.map((payloads) => payloads.length),
    [10, 10, 10],
  );
  for (const payloads of got) assert.deepEqual(payloads, sorted(payloads));
  assert.deepEqual(sorted(got.flat()), numbers(30));
});

atBothLevels('what a member leaves unanswered, or never had, goes to another', async (level, t) => {
  const topic = unique('leaver');
  const publisher = await StockClient.connect(t, url, level);
  const { client: silent } = await RawClient.connect(t, url, level);
  silent.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: `$share/g/${topic}`, qos: 1 }] });
  await silent.next('suback');
  for (const number of numbers(10)) await publisher.publish(topic, number, { qos: 1 });
  await silent.packets.until('all ten, unanswered', (all) => all.filter(({ cmd }) => cmd === 'publish').length === 10);
  const heir = await StockClient.connect(t, url, level);
  await heir.subscribe(`$share/g/${topic}`, { qos: 1 });
  await silent.drop();
  const inherited = await heir.messages.until('the ten', (all) => all.length === 10);
  assert.deepEqual(
    inherited.map(({ payload }) => payload),
    numbers(10),
  );
});

atBothLevels('a share with an absent member only waits for it, through a crash, and its end', async (level, t) => {
  const topic = unique('absent');
  const clientId = unique('member');
  const own = await Program.start(t);
  const filter = `$share/g/${topic}`;
  const member = await StockClient.connect(t, own.url, level, persistentOptions(level, clientId));
  await member.subscribe(filter);
  await member.drop();
  const publisher = await StockClient.connect(t, own.url, level);
  for (const number of numbers(20)) await publisher.publish(topic, number, { qos: 1 });
  await own.kill();
  await own.start();
  const heir = await StockClient.connect(t, own.url, level);
  await heir.subscribe(filter, { qos: 1 });
  // A clean start ends the session that holds them: then they are the other member's.
  const cleaner = await StockClient.connect(t, own.url, level, { clientId });
  const inherited = await heir.messages.until('the twenty', (all) => all.length >= 20);
  assert.deepEqual(sorted(inherited.map(({ payload }) => payload)), numbers(20));
  await cleaner.disconnect();
});

test('a QoS 2 publication that was sent to a member goes to no other [MQTT-4.8.2-6]', async (t) => {
  const topic = unique('once');
  const publisher = await StockClient.connect(t, url, 5);
  const { client: silent } = await RawClient.connect(t, url, 5);
  silent.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: `$share/g/${topic}`, qos: 2 }] });
  await silent.next('suback');
  await publisher.publish(topic, 'his', { qos: 2 });
  await silent.next('publish');
  const other = await StockClient.connect(t, url, 5);
  await other.subscribe(`$share/g/${topic}`);
  await silent.drop();
  await publisher.publish(topic, 'mine', { qos: 2 });
  assert.deepEqual(
    (await other.settled(publisher)).map(({ payload }) => payload),
    ['mine'],
  );
});
