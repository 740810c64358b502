import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onStage } from './stage.js';

test('the checkpoint does not pass a retained publication whose row is not written', async () => {
  const stage = await onStage();
  await stage.subscribed();
  stage.fails = (lane) => lane.startsWith('retained');
  stage.append({ 'mqtt-qos': '0', 'mqtt-retain': 'true' });
  await stage.pass(20_000);
  assert.equal(stage.low, null);
  stage.fails = () => false;
  await stage.pass(20_000);
  assert.notEqual(stage.low, null);
  assert.equal(stage.machine.store.retained.get('x')?.position, stage.low);
});

test('a checkpoint that was not written is written later, though nothing new has come', async () => {
  const stage = await onStage();
  await stage.subscribed();
  let failures = 0;
  stage.fails = (lane) => lane.startsWith('shard') && failures++ === 0;
  stage.append();
  await stage.pass(20_000);
  assert.notEqual(failures, 0);
  assert.notEqual(stage.low, null);
});

test('a write that is repeated after its session has ended leaves nothing', async () => {
  const stage = await onStage();
  const client = await stage.subscribed();
  client.disconnect();
  await stage.pass(100);
  let failures = 0;
  stage.fails = (lane) => lane === 'c' && failures++ === 0;
  stage.append();
  await stage.until(() => failures > 0);
  stage.connect('c', { clean: true });
  await stage.pass(5_000);
  assert.equal(stage.machine.store.outbound.size, 0);
  assert.notEqual(stage.low, null);
});

test('a crash right behind the DISCONNECT that ends a session leaves nothing of it', async () => {
  const stage = await onStage();
  const client = await stage.subscribed();
  const version = stage.machine.store.version;
  client.disconnect(0);
  const { presence, sessions } = stage.machine.store;
  await stage.until(() => presence.size === 0 || stage.machine.store.version > version);
  // Until it is flushed.
  await stage.pass(1);
  stage.crash();
  assert.equal(sessions.size, 1);
  await stage.start();
  await stage.pass(5_000);
  assert.equal(sessions.size, 0);
  assert.equal(presence.size, 0);
});
