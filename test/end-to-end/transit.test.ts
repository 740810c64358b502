import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QoS } from 'mqtt-packet';
import { StockClient } from '../support/clients.js';
import { BACKING, PATIENCE } from '../support/patience.js';
import { Program } from '../support/program.js';
import { randomOf } from '../support/random.js';
import type { StockLevel } from '../support/raw-client.js';
import { eventually, Inbox, within } from '../support/waiting.js';
import { faults, repeats } from './transit/checks.js';
import { Follower } from './transit/follower.js';
import { Vehicle } from './transit/vehicle.js';

const SEED = Number(process.env.PULSEGATE_TEST_SEED ?? 20_261_123);
const VEHICLES = BACKING === 'gateway' ? 20 : 200;
const LINES = Array.from({ length: 20 }, (_, i) => `line-${i + 1}`);
const POSITIONS_PER_VEHICLE = 45;
const FOLLOWERS = 10;
const TOTAL_TIME_LIMIT_MS = 60_000;
/** For everything to have arrived, once the last acknowledgement is there. */
const ARRIVAL_DEADLINE_MS = 20_000;

test('a transit feed loses no acknowledged message through kill -9 and lost connections, and QoS 2 comes once, in order', {
  timeout: TOTAL_TIME_LIMIT_MS * PATIENCE,
}, async (t) => {
  const begun = Date.now();
  const random = randomOf(SEED);
  const program = await Program.start(t);
  const progress = new Inbox<null>();
  const followers = await startFollowers(program.url, random);
  t.after(async () => {
    for (const follower of followers) follower.end();
  });
  const vehicles = Array.from({ length: VEHICLES }, (_, i) => {
    const line = LINES[i % LINES.length] as string;
    const level: StockLevel = i % 2 === 0 ? 4 : 5;
    const onSettled = () => progress.add(null);
    return new Vehicle(program.url, { name: `v-${i}`, line, level, positions: POSITIONS_PER_VEHICLE, onSettled });
  });
  t.after(async () => {
    for (const vehicle of vehicles) vehicle.die();
  });
  await within('all vehicles are connected', Promise.all(vehicles.map((vehicle) => vehicle.connected())), 15_000);

  const total = (VEHICLES * POSITIONS_PER_VEHICLE * 2) / 3;
  const reached = (share: number) =>
    progress.until(`${share} of the feed is published`, (all) => all.length >= share * total, 30_000);
  const some = <T>(of: readonly T[], count: number) => Array.from({ length: count }, () => of[random(of.length)] as T);
  const alive = () => vehicles.filter(({ isAlive }) => isAlive);

  const driven = Promise.all(vehicles.map((vehicle) => vehicle.drive()));
  for (const share of [0.1, 0.2, 0.3]) {
    await reached(share);
    for (const client of [...some(alive(), 10), ...some(followers, 2)]) client.drop();
  }
  await reached(0.4);
  await program.kill();
  // Nobody is there to see these go: the program has to find it out when it is back.
  for (const vehicle of some(alive(), 5)) vehicle.die();
  await program.start();
  for (const share of [0.5, 0.6, 0.7]) {
    await reached(share);
    for (const client of [...some(alive(), 10), ...some(followers, 2)]) client.drop();
  }
  for (const vehicle of some(alive(), 10)) vehicle.die();
  await within('every position is acknowledged', driven, 30_000);
  // One that had no more to say may have lost its connection last.
  const isEachOnline = () => alive().every(({ isOnline }) => isOnline);
  await within('every vehicle is back', eventually(isEachOnline), ARRIVAL_DEADLINE_MS);

  const acknowledged = vehicles.flatMap(({ line, acknowledged }) =>
    acknowledged.map((position) => ({ line, position })),
  );
  const due = (follower: Follower) =>
    acknowledged.flatMap(({ line, position }) => (follower.lines.has(line) ? [position] : []));
  await Promise.all(followers.map((follower) => follower.has(due(follower), ARRIVAL_DEADLINE_MS)));
  await barrier(t, program.url, followers);

  const byName = new Map(vehicles.map((vehicle) => [vehicle.name, vehicle]));
  for (const line of LINES) byName.set(`barrier-${line}`, { line } as Vehicle);
  assert.deepEqual(
    followers.flatMap((follower) => faults(follower, byName)),
    [],
  );
  const dead = vehicles.filter(({ isAlive }) => !isAlive);
  for (const follower of followers.filter(({ withStatus }) => withStatus)) {
    for (const { name, line } of dead.filter((vehicle) => follower.lines.has(vehicle.line))) {
      assert.equal(follower.statuses.get(name)?.at(-1), 'offline', `${follower.name} of ${name} on ${line}`);
    }
  }
  const retained = await retainedStatuses(t, program.url);
  const expected = vehicles
    .map(({ statusTopic, isAlive }) => `${statusTopic} ${isAlive ? 'online' : 'offline'}`)
    .sort();
  if (retained.join() !== expected.join()) t.diagnostic(JSON.stringify([...(followers[0]?.statuses ?? [])]));
  assert.deepEqual(retained, expected);
  const lost = [...vehicles, ...followers].filter(({ sessionsLost }) => sessionsLost > 0);
  assert.deepEqual(
    lost.map(({ name }) => name),
    [],
  );

  const sum = (counts: readonly number[]) => counts.reduce((left, right) => left + right, 0);
  t.diagnostic(
    `transit, seed ${SEED}: ${VEHICLES} vehicles, ${dead.length} of them dead in the end, ${acknowledged.length} messages ` +
      `of QoS 1 and 2 acknowledged, ${sum(vehicles.map(({ failed }) => failed))} not sent, ` +
      `${sum(followers.map(({ arrivals }) => arrivals.length))} arrivals at ${FOLLOWERS} followers, ` +
      `${sum(followers.map(repeats))} of them QoS 1 again, ` +
      `${sum([...vehicles, ...followers].map(({ reconnects }) => reconnects - 1))} reconnections, ` +
      `${((Date.now() - begun) / 1_000).toFixed(1)} s`,
  );
});

/** The first follows everything, the others three or four lines; some at QoS 1, one with a small Receive Maximum. */
function startFollowers(url: string, random: (below: number) => number): Promise<Follower[]> {
  return Promise.all(
    Array.from({ length: FOLLOWERS }, (_, i) => {
      const lines = LINES.filter(() => i === 0 || random(6) === 0);
      const level: StockLevel = i % 2 === 0 ? 5 : 4;
      const qos: QoS = i % 4 === 3 ? 1 : 2;
      const receiveMaximum = i === 2 ? { receiveMaximum: 10 } : {};
      const followed = lines.length > 0 ? lines : [LINES[random(LINES.length)] as string];
      return Follower.start(url, {
        name: `follower-${i}`,
        level,
        lines: followed,
        qos,
        withStatus: i % 3 === 0,
        ...receiveMaximum,
      });
    }),
  );
}

/** One last message of QoS 2 on every line: what should not come has had its chance. */
async function barrier(scope: Parameters<typeof Program.start>[0], url: string, followers: Follower[]): Promise<void> {
  const client = await StockClient.connect(scope, url, 5);
  const last = LINES.map((line) => ({ line, position: { vehicle: `barrier-${line}`, sequence: 0, qos: 2 as const } }));
  for (const { line, position } of last) {
    await client.publish(`transit/${line}/barrier/position`, JSON.stringify({ checked: position }), { qos: 2 });
  }
  const due = (follower: Follower) =>
    last.flatMap(({ line, position }) => (follower.lines.has(line) ? [position] : []));
  await Promise.all(followers.map((follower) => follower.has(due(follower), ARRIVAL_DEADLINE_MS)));
}

async function retainedStatuses(scope: Parameters<typeof Program.start>[0], url: string): Promise<string[]> {
  const client = await StockClient.connect(scope, url, 5);
  await client.subscribe('transit/+/+/status', { qos: 1 });
  const statuses = await client.settled(client);
  assert.ok(statuses.every(({ retain }) => retain));
  return statuses.map(({ topic, payload }) => `${topic} ${payload}`).sort();
}
