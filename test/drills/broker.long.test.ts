// kill -9 of Pulsar under load, and a restart.
import assert from 'node:assert/strict';
import { remoteSettings } from '../support/backing.js';
import { OwnPulsar } from '../support/own-pulsar.js';
import { asDeployed, drill } from './drill.js';

const BETWEEN_MS = 2_000;

drill('broker', 'Pulsar is killed and started again', async (stage) => {
  // By default a standalone acknowledges before the kernel has it, and then a kill -9 loses it.
  const pulsar = await OwnPulsar.prepare(stage.scope, { journalSyncData: 'true' });
  assert.equal(await pulsar.start(), null);
  const settings = asDeployed(await remoteSettings({ pulsar, dynamo: stage.dynamo }, stage.transport));
  const fleet = await stage.fleet(2, ['edge', 'edge', 'fan-out', 'fan-out'], settings);
  const load = await stage.load(fleet);
  await stage.rounds(async () => {
    await load.pass(BETWEEN_MS);
    const at = load.fault();
    await pulsar.kill();
    await pulsar.startAgain();
    const backAt = performance.now();
    stage.say(`Pulsar was down for ${Math.round(backAt - at)} ms`);
    await load.delivered(backAt, 'first delivery after Pulsar was back');
    await fleet.balanced();
  });
  await load.pass(BETWEEN_MS);
  await stage.finish();
});
