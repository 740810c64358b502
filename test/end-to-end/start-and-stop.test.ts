import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atBothLevels, persistentOptions, StockClient, texts } from '../support/clients.js';
import { Program, runProgram } from '../support/program.js';
import { RawClient } from '../support/raw-client.js';
import { Inbox, unique } from '../support/waiting.js';

test('a port that is taken is said in words', async (t) => {
  const first = await Program.start(t);
  const second = await runProgram({
    PULSEGATE_LISTEN: first.url,
    PULSEGATE_LOG: `embedded:${first.directory}/other`,
    PULSEGATE_STORE: `embedded:${first.directory}/other`,
  });
  assert.equal(second.code, 1);
  assert.ok(second.stderr.includes(new URL(first.url).port), second.stderr);
});

test('SIGTERM says 0x8B to level 5, closes every socket with 1001 and ends with 0', async (t) => {
  const program = await Program.start(t);
  const three = await RawClient.connect(t, program.url, 4);
  const five = await RawClient.connect(t, program.url, 5);
  const nobody = await RawClient.open(t, program.url, 5);
  const stopped = program.stop();
  assert.equal((await five.client.next('disconnect')).reasonCode, 0x8b);
  assert.deepEqual(
    await Promise.all([three.client, five.client, nobody].map((client) => client.closeCode())),
    [1001, 1001, 1001],
  );
  assert.deepEqual(await stopped, { code: 0, signal: null });
  assert.equal(three.client.packets.all.length, 1);
});

test('a client that does not answer the close frame does not hold up the end', async (t) => {
  const program = await Program.start(t);
  const { client } = await RawClient.connect(t, program.url, 5);
  client.pause();
  assert.equal((await program.stop()).code, 0);
});

for (const how of ['SIGTERM', 'kill -9'] as const) {
  atBothLevels(`what was acknowledged before ${how} is there after a restart`, async (level, t) => {
    const program = await Program.start(t);
    const topic = unique('kept');
    const options = persistentOptions(level, unique('reader'));
    const reader = await StockClient.connect(t, program.url, level, options);
    await reader.subscribe(`${topic}/+`);
    await reader.disconnect();
    const publisher = await StockClient.connect(t, program.url, level);
    const acknowledged = new Inbox<string>();
    for (let i = 0; i < 1_000; i += 1) {
      const to = `${topic}/${i % 7}`;
      publisher.mqtt.publish(to, String(i), { qos: i % 2 === 0 ? 1 : 2 }, (error) => {
        // What was on its way when the connection ended may have arrived or not.
        if (!error) acknowledged.add(`${to} ${i}`);
      });
    }
    await acknowledged.until('300 acknowledgements', (all) => all.length >= 300);
    const ended = how === 'SIGTERM' ? program.stop() : program.kill();
    await publisher.closed();
    await ended;
    await program.start();
    const again = await StockClient.connect(t, program.url, level, options);
    assert.equal(again.connack.sessionPresent, true);
    const marker = await StockClient.connect(t, program.url, level);
    const arrived = texts(await again.settled(marker));
    const missing = acknowledged.all.filter((text) => !arrived.includes(text));
    assert.deepEqual(missing, []);
    assert.equal(new Set(arrived).size, arrived.length, 'something came twice');
  });
}

atBothLevels('retained messages and subscriptions survive kill -9', async (level, t) => {
  const program = await Program.start(t);
  const topic = unique('retained');
  const options = persistentOptions(level, unique('reader'));
  const reader = await StockClient.connect(t, program.url, level, options);
  await reader.subscribe(`${topic}/+`);
  await reader.publish(`${topic}/a`, 'one', { qos: 1, retain: true });
  await reader.publish(`${topic}/b`, 'two', { qos: 2, retain: true });
  await reader.publish(`${topic}/b`, '', { qos: 1, retain: true });
  await program.kill();
  await program.start();
  const again = await StockClient.connect(t, program.url, level, options);
  await again.publish(`${topic}/c`, 'live', { qos: 1 });
  await again.messages.find('a message by the old subscription', ({ payload }) => payload === 'live');
  const anew = await StockClient.connect(t, program.url, level);
  await anew.subscribe(`${topic}/#`);
  assert.deepEqual(texts(await anew.settled(anew)), [`${topic}/a one`]);
});
