// kill -9 of one of two fan-out processes under load: the other owns its shards within 5 s.
import assert from 'node:assert/strict';
import { drill } from './drill.js';

/** What is promised; the short form has other tests beside it on the same cores. */
const OWNED_WITHIN_MS = { long: 5_000, short: 8_000 };
const BETWEEN_MS = 1_500;

drill('kill-worker', 'a fan-out process is killed, and the other serves its shards', async (stage) => {
  const fleet = await stage.fleet(4, ['edge', 'edge', 'fan-out', 'fan-out']);
  const load = await stage.load(fleet);
  await load.pass(BETWEEN_MS);
  await stage.rounds(async (number) => {
    const victim = fleet.workers[number % 2]!;
    const shards = victim.shards;
    const at = load.fault();
    await victim.kill();
    await fleet.owned(shards, victim);
    const ms = load.recovered(at, 'shards owned by the other');
    stage.say(`shards ${[...shards]} owned by the other after ${ms} ms`);
    assert.ok(ms < OWNED_WITHIN_MS[stage.isLong ? 'long' : 'short'], `the other owns them after ${ms} ms`);
    await load.delivered(at);
    await victim.start();
    await fleet.balanced();
    await load.pass(BETWEEN_MS);
  });
  await stage.finish();
});
