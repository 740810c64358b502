import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { encodeRow } from '../../functions/adapters/dynamodb/row-codec.js';
import { GatewayStage } from '../runtime/gateway-stage.js';
import { compareText } from '../support/measured-table.js';

/** What DynamoDB counts of an item beside its row: keys, version, expiry, the write's id, names. */
const BESIDE_BYTES = 150;
const UNIT_BYTES = 1024;

function cost(...figures: string[]) {
  return spawnSync(process.execPath, ['infra/cost.mjs', ...figures], { encoding: 'utf8' });
}

test('docs/DEPLOY.md says what a deployment costs', () => {
  const { status, stdout } = cost();
  assert.equal(status, 0);
  compareText('docs/DEPLOY.md', 'cost', stdout);
});

test('a frame writes as many units as the cost has it', async (t) => {
  // `test/runtime/gateway.test.ts` counts the calls: one read, one write.
  const stage = await GatewayStage.start(t);
  const client = await stage.connect('a-client-of-usual-length', { username: 'somebody' });
  const { row } = (await stage.connections.get(client.id))!;
  const { json, bytes } = encodeRow(row);
  const units = Math.ceil((Buffer.byteLength(json) + bytes.length + BESIDE_BYTES) / UNIT_BYTES);
  assert.equal(cost(`frameWriteUnits=${units}`).stdout, cost().stdout, `${units} units`);
});

test('every price can be given, and no other name', () => {
  assert.notEqual(cost('gatewayMessages=1.14').stdout, cost().stdout);
  for (const word of ['gatewayMessage=1', 'gatewayMessages=dear', 'gatewayMessages']) {
    const { status, stderr } = cost(word);
    assert.equal(status, 1);
    assert.match(stderr, /is not NAME=NUMBER/);
  }
});
