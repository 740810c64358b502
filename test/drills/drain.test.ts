// SIGTERM of an edge with PULSEGATE_DRAIN_MS, and of a worker: what they had is handed over without waiting for a lease.
import assert from 'node:assert/strict';
import { drill } from './drill.js';

const DRAIN_MS = 2_000;
/** What is promised; the short form has other tests beside it on the same cores. */
const HANDED_OVER_WITHIN_MS = { long: 3_000, short: 6_000 };
const BETWEEN_MS = 1_500;

drill('drain', 'an edge and a worker are told to end, and hand over what they have', async (stage) => {
  const fleet = await stage.fleet(4, ['edge', 'edge', 'fan-out', 'fan-out'], {
    PULSEGATE_DRAIN_MS: String(DRAIN_MS),
  });
  const load = await stage.load(fleet);
  await load.pass(BETWEEN_MS);
  await stage.rounds(async (number) => {
    const edge = fleet.members[number % 2]!;
    const edgeAt = load.fault();
    await edge.stop();
    stage.say(`the edge ended after ${Math.round(performance.now() - edgeAt)} ms`);
    await load.delivered(performance.now(), 'first delivery after the edge had ended');
    await edge.start();
    await load.pass(BETWEEN_MS);
    const worker = fleet.workers[number % 2]!;
    const { shards } = worker;
    const at = load.fault();
    const stopped = worker.stop();
    await fleet.owned(shards, worker);
    const ms = load.recovered(at, 'shards owned by the other');
    await stopped;
    stage.say(`shards ${[...shards]} owned by the other after ${ms} ms`);
    await load.delivered(at);
    assert.ok(ms < HANDED_OVER_WITHIN_MS[stage.isLong ? 'long' : 'short'], `handed over after ${ms} ms`);
    await worker.start();
    await fleet.balanced();
    await load.pass(BETWEEN_MS);
  });
  const lapsed = fleet.members.flatMap(({ program }) =>
    program.log.all.filter(({ event }) => event === 'lease-lapsed'),
  );
  assert.deepEqual(lapsed, [], 'no lease was waited for');
  await stage.finish();
});
