import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fill, fixtures, INBOUND_ID, PROPERTIES, pack, QUEUED, SESSIONS, unpack } from '../fixtures/data-directory.js';
import { StockClient } from '../support/clients.js';
import { Program } from '../support/program.js';
import { RawClient } from '../support/raw-client.js';

if (process.env.PULSEGATE_TEST_MAKE_FIXTURE === '1') {
  test('a fixture is made', async (t) => {
    const program = await Program.start(t);
    await fill(t, program);
    pack(program.directory);
  });
}

/** `null`: what this version leaves itself. */
for (const fixture of [...fixtures(), null]) {
  const what = fixture === null ? 'this version' : `fixture ${fixture}`;
  for (const level of [4, 5] as const) {
    test(`what ${what} left is all there (MQTT ${level === 4 ? '3.1.1' : 5})`, async (t) => {
      const program = await startOn(t, fixture);
      await finishInFlight(t, program, level);
      await finishInbound(t, program, level);
      await readQueue(t, program, level);
      await readRetained(t, program, level);
    });
  }
}

async function startOn(t: TestContext, fixture: number | null): Promise<Program> {
  if (fixture === null) {
    const own = await Program.start(t);
    await fill(t, own);
    await own.start();
    return own;
  }
  const directory = mkdtempSync(join(tmpdir(), 'pulsegate-old-data-'));
  unpack(fixture, directory);
  const data = `embedded:${directory}`;
  try {
    return await Program.start(t, { PULSEGATE_LOG: data, PULSEGATE_STORE: data });
  } finally {
    t.after(() => rmSync(directory, { recursive: true }));
  }
}

/** A released QoS 2 is only released again; the others come again, as duplicates where that is known. */
async function finishInFlight(t: TestContext, program: Program, level: 4 | 5): Promise<void> {
  const { client, connack } = await RawClient.connect(t, program.url, level, SESSIONS.inFlight(level));
  assert.equal(connack.sessionPresent, true);
  const resent = await Promise.all([1, 2, 3].map(() => client.packets.take('a packet')));
  const seen = resent.map((packet) => (packet.cmd === 'publish' ? `${packet.payload}` : packet.cmd));
  assert.deepEqual(seen.sort(), ['not received', 'pubrel', 'unanswered']);
  for (const packet of resent) {
    const messageId = packet.messageId as number;
    if (packet.cmd === 'pubrel') client.send({ cmd: 'pubcomp', messageId });
    else if (packet.cmd === 'publish' && packet.qos === 1) client.send({ cmd: 'puback', messageId });
    else client.send({ cmd: 'pubrec', messageId });
  }
  await client.next('pubrel');
  await client.drop();
}

/** The packet identifier is still in use: the same PUBLISH again is not another publication. */
async function finishInbound(t: TestContext, program: Program, level: 4 | 5): Promise<void> {
  const { client, connack } = await RawClient.connect(t, program.url, level, SESSIONS.inbound(level));
  assert.equal(connack.sessionPresent, true);
  const publish = { cmd: 'publish', topic: `old/${level}/queue/inbound`, payload: 'once', retain: false } as const;
  client.send({ ...publish, qos: 2, messageId: INBOUND_ID, dup: true });
  assert.equal((await client.next('pubrec')).messageId, INBOUND_ID);
  client.send({ cmd: 'pubrel', messageId: INBOUND_ID });
  const { messageId, reasonCode = 0 } = await client.next('pubcomp');
  assert.deepEqual([messageId, reasonCode], [INBOUND_ID, 0]);
  await client.drop();
}

async function readQueue(t: TestContext, program: Program, level: 4 | 5): Promise<void> {
  const reader = await StockClient.connect(t, program.url, level, SESSIONS.queued(level));
  assert.equal(reader.connack.sessionPresent, true);
  const publisher = await StockClient.connect(t, program.url, 5);
  const all = await reader.settled(publisher);
  // By topic, as MQTT.js hands over QoS 2 when it is released.
  const ofQueue = all
    .filter(({ topic }) => topic.startsWith(`old/${level}/queue/`))
    .sort((one, other) => (one.topic < other.topic ? -1 : Number(one.topic > other.topic)));
  assert.deepEqual(
    ofQueue.map(({ topic, payload, qos }) => `${topic.split('/').at(-1)} ${payload} ${qos}`),
    [...QUEUED.map((qos, i) => `${qos} ${i} ${qos}`).sort(), 'inbound once 2', ...(level === 5 ? ['last last 1'] : [])],
  );
  for (const { properties } of level === 5 ? ofQueue.slice(0, QUEUED.length) : []) {
    const { contentType, responseTopic, correlationData, userProperties, subscriptionIdentifier } = properties;
    const carried = { contentType, responseTopic, correlationData, userProperties: { ...userProperties } };
    assert.deepEqual(carried, PROPERTIES);
    assert.equal(subscriptionIdentifier, 7);
  }
  const others = all.filter((message) => !ofQueue.includes(message)).map(({ topic, payload }) => `${topic} ${payload}`);
  assert.deepEqual(others.sort(), [`old/${level}/shared to a member`, 'old/will/due of one who was connected'].sort());
  // A subscription goes on, and a will that waits is gone when its client is back.
  const leaver = await RawClient.connect(t, program.url, 5, SESSIONS.willDelayed);
  assert.equal(leaver.connack.sessionPresent, true);
  await publisher.publish(`old/${level}/queue/since`, 'new', { qos: 2 });
  await reader.messages.find('what is published now', ({ payload }) => payload === 'new');
}

async function readRetained(t: TestContext, program: Program, level: 4 | 5): Promise<void> {
  const late = await StockClient.connect(t, program.url, level);
  await late.subscribe('old/retained/#');
  const publisher = await StockClient.connect(t, program.url, 5);
  const all = await late.settled(publisher);
  assert.deepEqual(
    all.map(({ topic, payload, retain }) => `${topic} ${payload} ${retain}`),
    ['old/retained kept true'],
  );
  if (level === 5) assert.deepEqual(all[0]?.properties.correlationData, PROPERTIES.correlationData);
}
