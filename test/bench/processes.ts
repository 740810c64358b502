/** `npm run bench -- --processes`: edges and workers in processes of their own, what that costs and what of it crosses Pulsar. */
import { Fleet, type Role } from '../drills/fleet.js';
import { DYNAMO_CREDENTIALS, DYNAMO_REGION, testDynamo } from '../support/dynamodb.js';
import { DynamoProxy } from '../support/dynamodb-proxy.js';
import type { Scope } from '../support/waiting.js';
import { appendMsOf, type Costs, type FleetFigures, type FleetLoad, fit, predict } from './fleet-model.js';
import type { LoadNote, LoadTask } from './load.js';
import { cpuMsOf, runLoad } from './measure.js';
import type { Peer } from './peers.js';
import { type BenchPulsar, benchPulsar, namespaceOn } from './pulsar.js';

const SHARDS = 4;
const LEASE_MS = 2_500;
const WARM_UP_MS = 1_500;
const LOAD_DEADLINE_MS = 40_000;

/** The first is what the model is set by; it is held against the others. */
export const FLEETS: readonly (readonly Role[])[] = [
  ['edge', 'fan-out'],
  ['edge', 'fan-out', 'fan-out'],
  ['edge', 'edge', 'fan-out'],
  ['edge', 'edge', 'fan-out', 'fan-out'],
  ['all'],
  ['all', 'all'],
];

const COMMON = { wildcard: false, payloadBytes: 128, warmUpMs: WARM_UP_MS, window: 1 } as const;
/** All but one well below what two cores do with Pulsar on them: what is asked is what each costs. */
export const LOADS: Readonly<Record<string, Omit<LoadTask, 'urls' | 'measureMs'>>> = {
  '1 to 1, QoS 0': { ...COMMON, qos: 0, pairs: 32, fanOut: 1, ratePerS: 600 },
  '1 to 1, QoS 1': { ...COMMON, qos: 1, pairs: 32, fanOut: 1, ratePerS: 600 },
  '1 to 40, QoS 1': { ...COMMON, qos: 1, pairs: 4, fanOut: 40, ratePerS: 40 },
  // Last: what is left of it would come into the next.
  '1 to 1, QoS 1, in full': { ...COMMON, qos: 1, pairs: 32, fanOut: 1, ratePerS: null, window: 16 },
};

export interface FleetRun {
  fleet: string;
  load: string;
  /** null: edge and worker are the same process, which the model does not have. */
  modelled: FleetLoad | null;
  /** Whether at a rate that was asked for: else as much as the windows allow, and appends wait for one another. */
  isPaced: boolean;
  counted: FleetFigures;
  pulsarCores: number | null;
}

interface Snapshot {
  atMs: number;
  /** By member of the fleet. */
  cpuMs: number[];
  counters: Record<string, number>[];
  pulsarMs: number | null;
  storeCalls: number;
}

/** All fleets under all loads. */
export async function runFleets(
  scope: Scope,
  { log, pulsarWeb, measureMs }: { log: string; pulsarWeb: string | undefined; measureMs: number },
  told: (run: FleetRun) => void,
): Promise<FleetRun[]> {
  const pulsar = await benchPulsar(scope, log, pulsarWeb);
  const dynamo = await testDynamo();
  if (typeof dynamo === 'string') throw new Error(dynamo);
  const proxy = await DynamoProxy.start(dynamo.endpoint);
  scope.after(() => proxy.stop());
  const runs: FleetRun[] = [];
  for (const [i, roles] of FLEETS.entries()) {
    await withEnd(async (own) => {
      const fleet = new Fleet(own, await settingsOf(own, pulsar, proxy, i), SHARDS);
      await fleet.startAll(...roles);
      for (const [load, task] of Object.entries(LOADS)) {
        const run = await runLoadOn(fleet, { name: roles.join(' '), load, task, measureMs, pulsar, proxy });
        runs.push(run);
        told(run);
      }
    });
  }
  return runs;
}

/** Times and sizes as the first fleet was counted; what costs CPU, by all that the model has. */
export function costsOf(runs: readonly FleetRun[]): Costs {
  const all = runs.flatMap(({ modelled, ...run }) => (modelled === null ? [] : [{ ...run, load: modelled }]));
  const first = all.filter(({ fleet, isPaced }) => isPaced && fleet === FLEETS[0]!.join(' '));
  const sum = (of: (run: (typeof all)[number]) => number) => first.reduce((total, run) => total + of(run), 0);
  const mean = (of: (run: (typeof all)[number]) => number) => sum(of) / first.length;
  const [workerSecond = 0, workerEvent = 0, read = 0, workerDelivery = 0] = fit(
    all.map(({ load, counted: { pages, orders, commands, workerCores, ...each } }) => ({
      counts: [load.workers, pages + orders + commands, each.read, each.delivered],
      total: workerCores * 1e6,
    })),
  );
  const [edgeSecond = 0, edgeEvent = 0, publication = 0, edgeDelivery = 0] = fit(
    all.map(({ load, counted: { orders, commands, delivered, edgeCores } }) => ({
      counts: [load.edges, orders + commands, load.publishedPerS, delivered],
      total: edgeCores * 1e6,
    })),
  );
  return {
    appendMs: mean(({ load, counted }) => {
      const pairs = load.edges * load.shards;
      return appendMsOf(Math.min(load.publishedPerS, counted.delivered / pairs), counted.orders / pairs);
    }),
    pageMs: mean(({ load, counted }) => appendMsOf(load.publishedPerS, counted.pages / load.shards)),
    orderBytes: sum(({ counted }) => counted.orderBytes) / sum(({ counted }) => counted.delivered),
    commandBytes:
      sum(({ counted }) => counted.commandBytes) / sum(({ load, counted }) => (load.qos > 0 ? counted.delivered : 0)),
    workerUs: { second: workerSecond, event: workerEvent, read, delivery: workerDelivery },
    edgeUs: { second: edgeSecond, event: edgeEvent, publication, delivery: edgeDelivery },
    leaseMs: LEASE_MS,
  };
}

/** Of the runs that the model has, at a rate of their own, but for those of the first fleet: what it says, and what was counted. */
export function checked(runs: readonly FleetRun[], costs: Costs): (FleetRun & { predicted: FleetFigures })[] {
  return runs.flatMap((run) =>
    run.modelled === null || !run.isPaced || run.fleet === FLEETS[0]!.join(' ')
      ? []
      : [{ ...run, predicted: predict(run.modelled, costs) }],
  );
}

async function runLoadOn(
  fleet: Fleet,
  {
    name,
    load,
    task,
    measureMs,
    pulsar,
    proxy,
  }: {
    name: string;
    load: string;
    task: (typeof LOADS)[string];
    measureMs: number;
    pulsar: BenchPulsar;
    proxy: DynamoProxy;
  },
): Promise<FleetRun> {
  const urls = fleet.members.filter(({ takesClients }) => takesClients).map(({ program }) => program.url);
  const snapshots: Promise<Snapshot>[] = [];
  proxy.take();
  await runLoad(
    { name } as Peer,
    'load',
    { ...task, urls, measureMs } satisfies LoadTask,
    LOAD_DEADLINE_MS,
    (_: LoadNote) => snapshots.push(snapshotOf(fleet, pulsar, proxy)),
  );
  const [before, after] = (await Promise.all(snapshots)) as [Snapshot, Snapshot];
  const seconds = (after.atMs - before.atMs) / 1000;
  const members = fleet.members.map(({ role }, i) => {
    const grown = (counter: string) =>
      ((after.counters[i]![counter] ?? 0) - (before.counters[i]![counter] ?? 0)) / seconds;
    return { role, grown, cores: (after.cpuMs[i]! - before.cpuMs[i]!) / 1000 / seconds };
  });
  const of = (isOf: (role: Role) => boolean, figure: (member: (typeof members)[number]) => number) =>
    members.filter(({ role }) => isOf(role)).reduce((sum, member) => sum + figure(member), 0);
  const ofWorkers = (figure: (member: (typeof members)[number]) => number) => of((role) => role !== 'edge', figure);
  const ofEdges = (figure: (member: (typeof members)[number]) => number) => of((role) => role === 'edge', figure);
  const count = (wanted: Role) => fleet.members.filter(({ role }) => role === wanted).length;
  const { ratePerS, fanOut, qos } = task;
  const delivered = ofWorkers(({ grown }) => grown('publications_sent'));
  const modelled = {
    edges: count('edge'),
    workers: count('fan-out'),
    shards: SHARDS,
    publishedPerS: ratePerS ?? delivered / fanOut,
    fanOut,
    qos: qos as 0 | 1,
  };
  return {
    fleet: name,
    load,
    modelled: count('all') > 0 ? null : modelled,
    isPaced: ratePerS !== null,
    counted: {
      delivered,
      pages: ofWorkers(({ grown }) => grown('log_pages_read')),
      read: ofWorkers(({ grown }) => grown('log_records_read')),
      orders: ofWorkers(({ grown }) => grown('batches_appended')),
      orderBytes: ofWorkers(({ grown }) => grown('batches_appended_bytes')),
      commands: ofEdges(({ grown }) => grown('batches_appended')),
      commandBytes: ofEdges(({ grown }) => grown('batches_appended_bytes')),
      workerCores: ofWorkers(({ cores }) => cores),
      edgeCores: ofEdges(({ cores }) => cores),
      storeCalls: (after.storeCalls - before.storeCalls) / seconds,
    },
    pulsarCores:
      after.pulsarMs === null || before.pulsarMs === null ? null : (after.pulsarMs - before.pulsarMs) / 1000 / seconds,
  };
}

let storeCalls = 0;

async function snapshotOf(fleet: Fleet, pulsar: BenchPulsar, proxy: DynamoProxy): Promise<Snapshot> {
  const atMs = performance.now();
  storeCalls += Object.values(proxy.take()).reduce((sum, count) => sum + count, 0);
  const [cpuMs, pulsarMs, calls] = [
    fleet.members.map(({ program }) => cpuMsOf(program.pid)!),
    cpuMsOf(pulsar.pid),
    storeCalls,
  ];
  const counters = await Promise.all(fleet.members.map(({ program }) => countersOf(program.url)));
  return { atMs, cpuMs, counters, pulsarMs, storeCalls: calls };
}

/** As its `/metrics` says, without `pulsegate_` and `_total`. */
async function countersOf(url: string): Promise<Record<string, number>> {
  const { host } = new URL(url);
  const text = await (await fetch(`http://${host}/metrics`)).text();
  return Object.fromEntries(
    [...text.matchAll(/^pulsegate_(\w+)_total (\d+)$/gm)].map(([, name, n]) => [name, Number(n)]),
  );
}

async function settingsOf(
  scope: Scope,
  { log, web }: BenchPulsar,
  proxy: DynamoProxy,
  number: number,
): Promise<Record<string, string>> {
  const prefix = `bench-${process.pid}-${number}`;
  const store = { prefix, region: DYNAMO_REGION, endpoint: proxy.endpoint, make: 'yes' };
  return {
    PULSEGATE_LOG: log,
    ...(log.startsWith('pulsar:') && { PULSEGATE_PULSAR_WEB: web }),
    PULSEGATE_PULSAR_NAMESPACE: await namespaceOn(scope, web),
    PULSEGATE_STORE: `dynamodb:?${new URLSearchParams(store)}`,
    PULSEGATE_WORKER_LEASE_MS: String(LEASE_MS),
    PULSEGATE_EDGE_LEASE_MS: String(LEASE_MS),
    AWS_ACCESS_KEY_ID: DYNAMO_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: DYNAMO_CREDENTIALS.secretAccessKey,
  };
}

async function withEnd(run: (scope: Scope) => Promise<void>): Promise<void> {
  const ends: (() => Promise<void>)[] = [];
  try {
    await run({ after: (end) => ends.push(end) });
  } finally {
    for (const end of ends.reverse()) await end();
  }
}
