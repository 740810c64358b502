import assert from 'node:assert/strict';
import { test } from 'node:test';
import { remoteServices, remoteSettings } from '../support/backing.js';
import { persistentOptions, StockClient, texts } from '../support/clients.js';
import { Program, runProgram } from '../support/program.js';
import { unique } from '../support/waiting.js';

const READERS = 6;
const services = await remoteServices('websocket');

test('another number of shards: every session goes on, with all that it is owed and nothing twice', async (t) => {
  const settings = { ...(await remoteSettings(services, 'websocket')), PULSEGATE_SHARDS: '2' };
  const topic = unique('moved');
  const names = Array.from({ length: READERS }, (_, i) => `${topic}-reader-${i}`);
  const before = await Program.start(t, settings);
  const connectAll = (url: string) =>
    Promise.all(names.map((clientId) => StockClient.connect(t, url, 5, persistentOptions(5, clientId))));
  const readers = await connectAll(before.url);
  for (const reader of readers) await reader.subscribe(topic, { qos: 2 });
  const writer = await StockClient.connect(t, before.url, 5);
  const publish = async (from: StockClient, numbers: readonly number[]) => {
    for (const number of numbers) await from.publish(topic, `${number}`, { qos: 2 });
  };
  await publish(writer, [1, 2, 3]);
  for (const reader of readers) await reader.messages.until('three', (all) => all.length >= 3);
  // Half of them are owed something, and the others have had it.
  await Promise.all(readers.filter((_, i) => i % 2 === 0).map((reader) => reader.drop()));
  await publish(writer, [4, 5]);
  for (const [i, reader] of readers.entries()) {
    if (i % 2 === 1) await reader.messages.until('five', (all) => all.length >= 5);
  }
  const other = { ...settings, PULSEGATE_SHARDS: '3' };
  const early = await runProgram(other, ['--reshard']);
  assert.match(early.stderr, /process 0 runs/);
  assert.equal(early.code, 1);
  await before.stop();
  const tooEarly = await runProgram({ ...other, PULSEGATE_LISTEN: 'ws://127.0.0.1:0/mqtt' });
  assert.match(tooEarly.stderr, /has 2 shards, not 3/);
  const moved = await runProgram(other, ['--reshard']);
  assert.equal(moved.stderr.replace(/^.*Warning[\s\S]*$/m, ''), '');
  assert.match(moved.stdout, new RegExp(`Moved from 2 to 3 shards: ${READERS} sessions`));
  const after = await Program.start(t, other);
  const again = await connectAll(after.url);
  const next = await StockClient.connect(t, after.url, 5);
  await publish(next, [6]);
  for (const [i, reader] of again.entries()) {
    const all = await reader.messages.until('the last', (got) => texts(got).includes(`${topic} 6`));
    assert.deepEqual(
      texts(all),
      (i % 2 === 0 ? [4, 5, 6] : [6]).map((number) => `${topic} ${number}`),
    );
  }
});
