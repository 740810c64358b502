import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onStage } from './stage.js';

const of = (token: string) => ({ 'mqtt-qos': '2', 'mqtt-token': token });

test('a QoS 2 publication that the log holds twice is handed out once, and holds nothing up', async () => {
  const stage = await onStage();
  const client = await stage.subscribed();
  stage.append(of('p:1:0'), 'one');
  stage.append(of('p:1:1'), 'two');
  stage.append(of('p:1:0'), 'one');
  stage.append(of('p:1:1'), 'two');
  await stage.pass(5_000);
  const before = stage.low;
  stage.append(of('p:1:1'), 'two');
  await stage.pass(5_000);
  assert.deepEqual(client.received, ['one', 'two']);
  assert.notEqual(stage.low, before);
});

test('what has no token, or less than QoS 2, is handed out as often as the log holds it', async () => {
  const stage = await onStage();
  const client = await stage.subscribed();
  for (const properties of [{ 'mqtt-qos': '2' }, { 'mqtt-token': 'will' }]) {
    stage.append(properties, 'same');
    stage.append(properties, 'same');
  }
  await stage.pass(5_000);
  assert.equal(client.received.length, 4);
});
