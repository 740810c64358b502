import assert from 'node:assert/strict';
import { after } from 'node:test';
import { backingSettings } from '../support/backing.js';
import { atBothLevels, StockClient, texts } from '../support/clients.js';
import { Program } from '../support/program.js';
import { unique } from '../support/waiting.js';

const settings = await backingSettings();
const namespace = settings.PULSEGATE_PULSAR_NAMESPACE ?? 'public/default';
const program = await Program.start({ after }, { ...settings, PULSEGATE_ROUTES: `# -> mop:${namespace}` });
const { url } = program;

/** What MoP calls a topic in Pulsar, and takes from clients, too. */
const fullName = (topic: string) => `persistent://${namespace}/${encodeURIComponent(topic)}`;

atBothLevels('what is published to either name reaches both, each under the name of its filter', async (level, t) => {
  const short = `${unique('mop')}/a b`;
  const full = `persistent://${namespace}/${short}`;
  const publisher = await StockClient.connect(t, url, level);
  const exact = await StockClient.connect(t, url, level);
  const wild = await StockClient.connect(t, url, level);
  const named = await StockClient.connect(t, url, level);
  const namedWild = await StockClient.connect(t, url, level);
  await exact.subscribe(short);
  await wild.subscribe('#');
  await named.subscribe(full);
  await namedWild.subscribe(`persistent://${namespace}/#`);
  await publisher.publish(short, 'one', { qos: 1 });
  await publisher.publish(full, 'two', { qos: 2 });
  for (const client of [exact, wild]) {
    assert.deepEqual(texts(await client.settled(publisher)).sort(), [`${short} one`, `${short} two`]);
  }
  assert.deepEqual(texts(await named.settled(publisher)).sort(), [`${full} one`, `${full} two`]);
  const others = ({ topic }: { topic: string }) => !topic.includes('/settled/');
  assert.deepEqual(texts((await namedWild.settled(publisher)).filter(others)).sort(), [`${full} one`, `${full} two`]);
});

atBothLevels('a client with filters for both names gets one copy', async (level, t) => {
  const short = unique('mop-both');
  const publisher = await StockClient.connect(t, url, level);
  const client = await StockClient.connect(t, url, level);
  await client.subscribe([short, `persistent://${namespace}/${short}`]);
  for (const qos of [0, 1, 2] as const) await publisher.publish(short, `${qos}`, { qos });
  await client.messages.until('all three', (all) => all.length >= 3);
  assert.deepEqual(
    texts(await client.settled(publisher)).sort(),
    [0, 1, 2].map((qos) => `${short} ${qos}`),
  );
});

atBothLevels('a retained message is there under both names, and cleared under either', async (level, t) => {
  const short = unique('mop-kept');
  const full = `persistent://${namespace}/${short}`;
  const publisher = await StockClient.connect(t, url, level);
  await publisher.publish(full, 'x', { qos: 1, retain: true });
  const retainedOf = async (filter: string, count: number) => {
    const client = await StockClient.connect(t, url, level);
    await client.subscribe(filter);
    await client.messages.until(`${count} retained of ${filter}`, (all) => all.length >= count);
    const all = (await client.settled(publisher)).filter(({ topic }) => topic.endsWith(short));
    await client.disconnect();
    return all.map(({ topic, payload, retain }) => `${topic} ${payload} ${retain}`);
  };
  assert.deepEqual(await retainedOf(short, 1), [`${short} x true`]);
  assert.deepEqual(await retainedOf('#', 1), [`${short} x true`]);
  assert.deepEqual(await retainedOf(full, 1), [`${full} x true`]);
  assert.deepEqual(await retainedOf(`persistent://${namespace}/+`, 1), [`${full} x true`]);
  await publisher.publish(short, '', { qos: 1, retain: true });
  assert.deepEqual(await retainedOf(short, 0), []);
  assert.deepEqual(await retainedOf(full, 0), []);
});

atBothLevels('a name that is encoded as MoP encodes it is a topic like any other', async (level, t) => {
  const topic = fullName(`${unique('mop-encoded')}/x`);
  const client = await StockClient.connect(t, url, level);
  await client.subscribe(topic);
  await client.publish(topic, 'x', { qos: 1 });
  assert.deepEqual(texts(await client.settled(client)), [`${topic} x`]);
});
