import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { loadNative } from '../../functions/adapters/pulsar/native/client.js';
import { disordered, repeated } from '../drills/load/reader.js';
import { openCutLine } from '../support/cut-line.js';
import { OwnPulsar } from '../support/own-pulsar.js';
import { notRun } from '../support/parts.js';
import { freePort } from '../support/ports.js';
import { Program } from '../support/program.js';
import { produce, readAll } from '../support/pulsar-reader.js';
import { isReady, readiness } from '../support/readiness.js';
import { Drill, longestStallMs } from './drill/drill.js';

const PROBE = 'public/default/probe';
const LOAD_MS = 3_000;
/** What Pulsar takes in that time, and nobody is told of. */
const HOLD_MS = 200;
/** Longer than the pauses between tries to connect. */
const READY_DEADLINE_MS = 40_000;

const file = { after: (end: () => Promise<void>) => after(end) };
// By default Pulsar's standalone acknowledges before the kernel has it, and then a kill -9 loses it.
const brokerPort = await freePort();
/** Everybody who speaks to the broker does it through here, Pulsar's own WebSocket service too. */
const line = await openCutLine(brokerPort);
after(() => line.close());
const pulsar = await OwnPulsar.prepare(file, {
  journalSyncData: 'true',
  brokerServicePort: String(brokerPort),
  advertisedListeners: `main:pulsar://127.0.0.1:${line.port}`,
  internalListenerName: 'main',
});
const programs = await startPrograms();

test('a program that was there before Pulsar waits for it, and then is ready by itself', async () => {
  for (const { name, program } of programs) {
    assert.match(await readiness(program), /^503 not ready: .*ECONNREFUSED/, name);
    const waiting = await program.log.find('waiting', ({ event }) => event === 'waiting');
    assert.match(String(waiting.error), /ECONNREFUSED/);
  }
  const problem = await pulsar.start();
  assert.equal(problem, null);
  await keepEverything();
  await Promise.all(programs.map(({ program }) => isReady(program)));
  for (const { name, program } of programs) {
    const pauses = program.log.all.filter(({ event }) => event === 'waiting').map(({ againInMs }) => againInMs);
    assert.deepEqual(pauses.slice(0, 3), [500, 1_000, 2_000], name);
  }
});

test('a broker that is killed under load costs no acknowledged message, and no QoS 2 comes twice', async (t) => {
  const drills = programs.map(({ name, program }) => new Drill(t, name, program));
  await produce(pulsar, PROBE, { payload: 'before' });
  await Promise.all(drills.map((drill) => drill.begin()));
  await pass(LOAD_MS);
  line.hold();
  await pass(HOLD_MS);
  await pulsar.kill();
  line.cut();
  const killedAt = performance.now();
  await Promise.all(programs.map(({ program }) => isReady(program, false)));
  line.mend();
  await pulsar.startAgain();
  const backAt = performance.now();
  await takesMessages();
  const takesMs = Math.round(performance.now() - backAt);
  await Promise.all(programs.map(({ program }) => isReady(program)));
  await pass(LOAD_MS);
  await Promise.all(drills.map((drill) => drill.finish(60_000)));
  for (const drill of drills) {
    const { name, acknowledged, publishers, subscribers } = drill;
    await Promise.all(subscribers.map((subscriber) => subscriber.has(acknowledged, 30_000)));
    const kept = (await readAll(pulsar, `public/default/drill-${name}`)).map(({ payload }) => payload);
    const sent = publishers.reduce((sum, publisher) => sum + publisher.sent, 0);
    const refused = publishers.reduce((sum, publisher) => sum + publisher.refused.length, 0);
    const isTwo = (payload: string) => payload.includes(':2:');
    const again = subscribers.map(({ arrivals }) => repeated(arrivals.all));
    const figures = {
      sent,
      acknowledged: acknowledged.length,
      refused,
      kept: kept.length,
      keptTwice: repeated(kept).length,
      keptTwiceOfQos2: repeated(kept).filter(isTwo).length,
      delivered: subscribers.map(({ arrivals }) => arrivals.all.length),
      deliveredTwice: again.map((payloads) => payloads.length),
      downMs: Math.round(backAt - killedAt),
      // A message of somebody else, and then what the clients saw.
      pulsarMs: takesMs,
      recovery: drill.recovery(backAt),
      longestStallMs: { acknowledged: longestStallMs(drill.acknowledgedAt), arrived: longestStallMs(drill.arrivedAt) },
    };
    t.diagnostic(`${name}: ${JSON.stringify(figures)}`);
    assert.ok(acknowledged.length > 300, `${name}: there was load`);
    assert.ok(repeated(kept).length > 0, `${name}: Pulsar took something and could not say so`);
    const there = new Set(kept);
    assert.deepEqual(
      acknowledged.filter((payload) => !there.has(payload)),
      [],
      `${name}: acknowledged, and not in Pulsar`,
    );
    const writesAgain = name === 'native';
    assert.equal(repeated(kept).some(isTwo), writesAgain, `${name}: twice in Pulsar`);
    for (const [i, { arrivals }] of subscribers.entries()) {
      assert.deepEqual(again[i]?.filter(isTwo), [], `${name}: twice at a subscriber`);
      assert.deepEqual(disordered(arrivals.all), [], `${name}: out of order`);
    }
  }
});

test('SIGTERM ends a program whose broker is gone under load, in its time', async (t) => {
  const drills = programs.map(({ name, program }) => new Drill(t, `${name}-last`, program));
  await Promise.all(drills.map((drill) => drill.begin()));
  await Promise.all(drills.map((drill) => drill.isUnderWay()));
  line.hold();
  await pass(HOLD_MS);
  await pulsar.kill();
  line.cut();
  await Promise.all(
    programs.map(async ({ name, program }) => {
      const begun = performance.now();
      assert.deepEqual(await program.stop(), { code: 0, signal: null }, name);
      assert.ok(performance.now() - begun < 10_000, `${name}: ${performance.now() - begun} ms`);
    }),
  );
});

async function startPrograms(): Promise<{ name: string; program: Program }[]> {
  const start = async (name: string, settings: Record<string, string>) => {
    const program = await Program.start(file, {
      PULSEGATE_ROUTES: `# -> keyed:drill-${name}?partitions=2`,
      ...settings,
    });
    return { name, program };
  };
  const found = [start('websocket', { PULSEGATE_LOG: pulsar.web.replace(/^http/, 'pulsar+ws') })];
  try {
    loadNative();
    found.push(
      start('native', {
        PULSEGATE_LOG: `pulsar://127.0.0.1:${line.port}`,
        PULSEGATE_PULSAR_WEB: pulsar.web,
        // Half of it outlasts the restart: so the client writes again by itself what Pulsar could not say it had.
        PULSEGATE_APPEND_DEADLINE_MS: '120000',
      }),
    );
  } catch (error) {
    notRun('native addon: a broker that is killed', (error as Error).message);
  }
  return Promise.all(found);
}

/** What nobody has a subscription for is read back at the end. */
async function keepEverything(): Promise<void> {
  const path = `${pulsar.web}/admin/v2/namespaces/public/default/retention`;
  const answer = await fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ retentionTimeInMinutes: -1, retentionSizeInMB: -1 }),
  });
  assert.ok(answer.ok, String(answer.status));
}

/** Resolves when Pulsar takes a message of somebody who has nothing to do with us. */
async function takesMessages(): Promise<void> {
  for (const deadline = Date.now() + READY_DEADLINE_MS; ; await pass(100)) {
    try {
      return await produce(pulsar, PROBE, { payload: 'probe' });
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}

/** Load is a matter of time. */
function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
