// SIGSTOP of a worker for longer than Pulsar takes to notice (6 s), then SIGCONT: nothing is delivered or written for a lost shard.
import assert from 'node:assert/strict';
import { drill } from './drill.js';
import { Rows } from './rows.js';

/** Of which the lease takes 3 s and Pulsar's detection, once the other asks for the shard, 5 s. */
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
    await victim.start();
    await fleet.balanced();
    await load.pass(BETWEEN_MS);
  });
  await stage.finish();
});
