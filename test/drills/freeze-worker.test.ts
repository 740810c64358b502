// SIGSTOP of a worker for longer than Pulsar takes to notice (6 s), then SIGCONT: nothing is delivered or written for a lost shard.
import assert from 'node:assert/strict';
import type { EdgeOrders } from '../../functions/runtime/edge-orders.js';
import { readAll } from '../support/pulsar-reader.js';
import { drill, type Stage } from './drill.js';
import { Rows } from './rows.js';

/** Of which the lease takes 2.5 s or more, and Pulsar's detection, once the other asks for the shard, 5 s. */
const FROZEN_MS = 9_000;
const BETWEEN_MS = 1_500;

drill('freeze-worker', 'a fan-out process is frozen, loses its shards, and goes on', async (stage) => {
  const fleet = await stage.fleet(4, ['edge', 'edge', 'fan-out', 'fan-out']);
  const rows = new Rows(stage.scope, stage.settings, stage.dynamo.endpoint);
  const load = await stage.load(fleet);
  await load.pass(BETWEEN_MS);
  await stage.rounds(async (number) => {
    const victim = fleet.workers[number % 2]!;
    const shards = [...victim.shards];
    const at = load.fault();
    victim.freeze();
    await fleet.owned(shards, victim);
    const ms = load.recovered(at, 'shards owned by the other');
    stage.say(`shards ${shards} owned by the other after ${ms} ms`);
    await load.delivered(at);
    await load.pass(Math.max(0, FROZEN_MS - (performance.now() - at)));
    const claims = await Promise.all(shards.map((shard) => rows.claim(shard)));
    const before = await Promise.all(shards.map((shard) => rows.checkpoints(shard)));
    victim.thaw();
    const thawedAt = performance.now();
    // Others have its lease: it ends, and whoever runs it starts it again.
    assert.equal(await victim.ends(), 1);
    stage.say(`it ended ${Math.round(performance.now() - thawedAt)} ms after it went on`);
    assert.deepEqual(
      await Promise.all(shards.map((shard) => rows.claim(shard))),
      claims,
      'it claimed what it had lost',
    );
    await load.pass(BETWEEN_MS);
    const after = await Promise.all(shards.map((shard) => rows.checkpoints(shard)));
    for (const [i, checkpoints] of before.entries()) {
      for (const { partition, low } of checkpoints) {
        const later = after[i]!.find((row) => row.partition === partition);
        assert.ok(
          (later?.low ?? '') >= (low ?? ''),
          `the checkpoint of ${partition} went back to ${later?.low} from ${low}`,
        );
      }
    }
    await victim.start();
    await fleet.balanced();
    await load.pass(BETWEEN_MS);
  });
  stage.say(
    `${await lateBatches(stage)} batches of a shard's former owner stand in the topics of edges, which they do not obey`,
  );
  await stage.finish();
});

/** Batches for edges that stand behind those of a later owner. */
async function lateBatches({ pulsar, settings }: Stage): Promise<number> {
  let late = 0;
  for (const edge of [0, 1]) {
    const newest = new Map<number, number>();
    for (const { payload, properties } of await readAll(
      pulsar,
      `${settings.PULSEGATE_PULSAR_NAMESPACE}/pulsegate-edge-${edge}`,
    )) {
      if (properties['pulsegate-head'] === undefined) continue;
      const { from } = JSON.parse(payload.slice(0, Number(properties['pulsegate-head']))) as Pick<EdgeOrders, 'from'>;
      if (from === null) continue;
      if (from.epoch < (newest.get(from.shard) ?? 0)) late += 1;
      else newest.set(from.shard, from.epoch);
    }
  }
  return late;
}
