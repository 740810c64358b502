// kill -9 of one of two edges under load: its clients go on at the other, and its wills come within the edge lease.
import assert from 'node:assert/strict';
import { StockClient } from '../support/clients.js';
import { within } from '../support/waiting.js';
import { drill } from './drill.js';
import { Reader } from './load/reader.js';

const WILLS = 3;
/** From the last sign of life that others saw to the will at a reader. */
const WILL_SLACK_MS = 4_000;
const BETWEEN_MS = 1_500;

drill('kill-edge', 'an edge is killed, its clients go on at the other, and its wills are published', async (stage) => {
  const leaseMs = stage.isLong ? 15_000 : 4_000;
  const fleet = await stage.fleet(4, ['edge', 'edge', 'fan-out', 'fan-out'], {
    PULSEGATE_EDGE_LEASE_MS: String(leaseMs),
  });
  const witness = new Reader(fleet.dialFrom(1), { name: 'witness', level: 5, filter: 'will/#' });
  stage.scope.after(async () => witness.end());
  await within('the witness is subscribed', witness.subscribe());
  const load = await stage.load(fleet);
  await load.pass(BETWEEN_MS);
  await stage.rounds(async (number) => {
    const victim = fleet.members[number % 2]!;
    const wills = Array.from({ length: WILLS }, (_, i) => `of ${number}, ${i}`);
    // The last of them may be known to nobody but its edge and its row.
    for (const [i, payload] of wills.entries()) {
      const will = { topic: `will/${i}`, payload: Buffer.from(payload), qos: 1 as const };
      await StockClient.connect(stage.scope, victim.program.url, 5, { will, clientId: `dying-${number}-${i}` });
    }
    const at = load.fault();
    await victim.kill();
    await load.delivered(at);
    await witness.has(wills, leaseMs + WILL_SLACK_MS);
    const ms = load.recovered(at, 'wills');
    stage.say(`wills after ${ms} ms, of a lease of ${leaseMs} ms`);
    assert.ok(ms < leaseMs + WILL_SLACK_MS, `wills after ${ms} ms`);
    await victim.start();
    await load.pass(BETWEEN_MS);
  });
  const willsSeen = witness.arrivals.all;
  assert.equal(new Set(willsSeen).size, willsSeen.length, 'each will once');
  await stage.finish();
});
