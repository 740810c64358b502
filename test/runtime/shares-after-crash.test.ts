import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onStage, type Stage } from './stage.js';

const SHARE = '$share/g/x';
const TEXTS = ['1', '2', '3'];
const QOS_2 = { 'mqtt-qos': '2' };

/** `a` is absent with a queue, `b` came after it. */
async function queuedFor(stage: Stage): Promise<void> {
  (await stage.subscribed(SHARE, 'a')).disconnect();
  await stage.pass(100);
  for (const text of TEXTS) stage.append(QOS_2, text);
  await stage.pass(3_000);
  assert.equal(stage.machine.store.outbound.size, TEXTS.length);
  (await stage.subscribed(SHARE, 'b')).disconnect();
  await stage.pass(100);
}

async function receivedBy(stage: Stage, clientId: string): Promise<string[]> {
  const client = stage.connect(clientId);
  await stage.pass(3_000);
  return client.received.sort();
}

async function crashed(stage: Stage): Promise<void> {
  stage.crash();
  await stage.start();
  await stage.pass(100);
}

for (const [how, properties] of [
  ['persists', {}],
  ['ends with its connection', { sessionExpiryInterval: 0 }],
] as const) {
  test(`what a replaced session had of a share is another member's after a crash, where the new session ${how}`, async () => {
    const stage = await onStage();
    await queuedFor(stage);
    const version = stage.machine.store.version;
    stage.connect('a', { clean: true, properties });
    await stage.until(() => stage.machine.store.version > version);
    // Until it is flushed.
    await stage.pass(1);
    await crashed(stage);
    assert.deepEqual(await receivedBy(stage, 'b'), TEXTS);
    assert.deepEqual(await receivedBy(stage, 'a'), []);
    await stage.pass(3_000);
    assert.equal(stage.machine.store.outbound.size, 0);
  });
}

test('what a session had of a share that is over at start is given to a member that is loaded pages later', async () => {
  const stage = await onStage();
  await queuedFor(stage);
  const { presence } = stage.machine.store;
  const { row } = presence.get('a') ?? assert.fail();
  for (let i = 100; i < 700; i += 1) {
    const clientId = `a${i}`;
    presence.set(clientId, { row: { ...row, clientId }, version: i });
  }
  presence.set('a', { row: { ...row, sessionExpiryS: 0 }, version: 1 });
  await crashed(stage);
  assert.deepEqual(await receivedBy(stage, 'b'), TEXTS);
});

test('what was being queued for a member of a share whose session ends is given to another', async () => {
  const stage = await onStage();
  (await stage.subscribed(SHARE, 'a')).disconnect();
  await stage.pass(100);
  let failures = 0;
  stage.fails = (lane) => lane === 'a' && failures++ < 2;
  stage.append(QOS_2, '1');
  await stage.until(() => failures > 0);
  await stage.subscribed(SHARE, 'b');
  const b = stage.connect('b');
  await stage.pass(10);
  stage.connect('a', { clean: true });
  await stage.pass(5_000);
  assert.deepEqual(b.received, ['1']);
});

for (const [how, leave] of [
  [
    'has unsubscribed',
    (a: { send(packet: object): void }) => a.send({ cmd: 'unsubscribe', messageId: 2, unsubscriptions: [SHARE] }),
  ],
  ['has ended its session', (a: { disconnect(expiryS: number): void }) => a.disconnect(0)],
] as const) {
  test(`QoS 2 that a member of a share has completed is no other's after a crash, though it ${how}`, async () => {
    const stage = await onStage();
    (await stage.subscribed(SHARE, 'b')).disconnect();
    await stage.pass(3_000);
    const a = await stage.subscribed(SHARE, 'a');
    // No checkpoint: replay comes upon it.
    stage.fails = (lane) => lane.startsWith('shard');
    for (const text of TEXTS) stage.append(QOS_2, text);
    await stage.pass(500);
    assert.deepEqual(a.received, TEXTS);
    leave(a);
    await stage.pass(500);
    stage.fails = () => false;
    await crashed(stage);
    assert.deepEqual(await receivedBy(stage, 'b'), []);
    await stage.pass(5_000);
    assert.equal(stage.machine.store.outbound.size, 0);
    assert.equal(stage.machine.store.presence.size, how === 'has unsubscribed' ? 2 : 1);
  });
}

test('what had been handed on when the process died, and not been let go of, is not handed on again', async () => {
  const stage = await onStage();
  await queuedFor(stage);
  (await stage.subscribed(SHARE, 'c')).disconnect();
  await stage.pass(100);
  stage.fails = (lane) => lane.startsWith('shard');
  for (const text of ['4', '5', '6']) stage.append(QOS_2, text);
  await stage.pass(1_000);
  const version = stage.machine.store.version;
  stage.connect('a', { clean: true });
  await stage.until(() => stage.machine.store.version > version);
  stage.fails = (lane) => lane === 'a' || lane.startsWith('shard');
  await stage.pass(1_000);
  stage.fails = () => false;
  await crashed(stage);
  const received = [...(await receivedBy(stage, 'b')), ...(await receivedBy(stage, 'c'))];
  assert.deepEqual(received.sort(), [...TEXTS, '4', '5', '6']);
});

test('what had been handed on and completed with QoS 2 when the process died, and not been let go of, is not handed on again', async () => {
  const stage = await onStage();
  await queuedFor(stage);
  const b = stage.connect('b');
  await stage.pass(100);
  const version = stage.machine.store.version;
  stage.connect('a', { clean: true });
  await stage.until(() => stage.machine.store.version > version);
  stage.fails = (lane) => lane === 'a';
  // Checkpoints are written meanwhile.
  for (let i = 0; i < 3; i += 1) {
    stage.append(QOS_2, `more ${i}`);
    await stage.pass(2_000);
  }
  assert.deepEqual(b.received.sort(), [...TEXTS, 'more 0', 'more 1', 'more 2']);
  stage.fails = () => false;
  await crashed(stage);
  assert.deepEqual(await receivedBy(stage, 'b'), []);
  await stage.pass(5_000);
  assert.equal(stage.machine.store.outbound.size, 0);
});

for (const qos of [1, 2] as const) {
  test(`what a member without a session takes over of another's queue with QoS ${qos}, and has not had, survives a crash`, async () => {
    const stage = await onStage();
    (await stage.subscribed(SHARE, 'a')).disconnect();
    await stage.pass(100);
    for (const text of TEXTS) stage.append({ 'mqtt-qos': `${qos}` }, text);
    await stage.pass(3_000);
    (await stage.subscribed(SHARE, 'b')).disconnect();
    const v = stage.connect('v', { properties: { sessionExpiryInterval: 0, receiveMaximum: 1 } });
    v.answers = false;
    v.subscribe(SHARE, 2);
    await stage.pass(100);
    stage.connect('a', { clean: true });
    await stage.pass(3_000);
    assert.deepEqual(v.received, ['1']);
    await crashed(stage);
    // QoS 2 that it was sent is nobody else's [MQTT-4.8.2-6].
    assert.deepEqual(await receivedBy(stage, 'b'), qos === 1 ? TEXTS : ['2', '3']);
    await stage.pass(3_000);
    assert.equal(stage.machine.store.outbound.size, 0);
  });
}

test("QoS 2 that a member without a session has completed is no other's after a crash", async () => {
  const stage = await onStage();
  (await stage.subscribed(SHARE, 'b')).disconnect();
  await stage.pass(3_000);
  const v = stage.connect('v', { properties: { sessionExpiryInterval: 0 } });
  v.subscribe(SHARE, 2);
  await stage.pass(100);
  stage.fails = (lane) => lane.startsWith('shard');
  for (const text of TEXTS) stage.append(QOS_2, text);
  await stage.pass(500);
  assert.deepEqual(v.received, TEXTS);
  stage.fails = () => false;
  await crashed(stage);
  assert.deepEqual(await receivedBy(stage, 'b'), []);
  await stage.pass(5_000);
  assert.equal(stage.machine.store.outbound.size, 0);
  assert.equal(stage.machine.store.presence.size, 1);
});
