/** `npm run bench`: the program beside others in the same run, round by round; then what was expected of it. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import type { Scope } from '../support/waiting.js';
import { connectRates, type IdleSizes, idleSizes } from './connections.js';
import { expectations, expectationsOnPulsar, type Figures, lineOf } from './expectations.js';
import { fleetReport, lineOfRun } from './fleet-report.js';
import { latency } from './latency.js';
import { type Peer, pulsarStarts, STARTS } from './peers.js';
import type { PostsFigure } from './posts.js';
import { runFleets } from './processes.js';
import { benchPulsar } from './pulsar.js';
import { exact, fanOut, type ThroughputOptions, wildcard } from './throughput.js';
import { type TransportFigure, transport, warmUp } from './transport.js';

const PARTS = [
  'exact',
  'wildcard',
  'fan-out',
  'latency',
  'connect',
  'idle',
  'filter-index',
  'posts',
  'transport',
] as const;
type Part = (typeof PARTS)[number];
const WITHOUT_PULSAR: readonly Part[] = PARTS.filter((part) => part !== 'transport');
const ON_PULSAR: readonly Part[] = ['exact', 'latency', 'transport'];

const WARM_UP_MS = 500;
const ROUNDS = 3;
/** Leaves room for what has no rounds, in five minutes for all. */
const MORE_ROUNDS_UNTIL_MS = 210_000;

/** At a few hundred a second the 99th percentile needs a while. */
const LATENCY_TIMES = 3;
/** What costs a thousandth of a core has to go on for a while to be seen. */
const FLEET_TIMES = 4;

interface AllFigures extends Figures {
  idle: IdleSizes | null;
  transport: TransportFigure[] | null;
  posts: PostsFigure[] | null;
}

const HELP = `npm run bench -- [PART ...] [options]
  PART               ${PARTS.join(', ')}; all of them where none is named
  --log URL          the program on this Pulsar, as PULSEGATE_LOG has it; pulsar or pulsar+ws: on one started for this run.
                     Its parts: ${ON_PULSAR.join(', ')}
  --pulsar-web URL   that Pulsar's web service (port 8080 of the same host)
  --store URL        of the program on Pulsar, as PULSEGATE_STORE has it (embedded)
  --seconds N        of each measurement, after half a second of warm-up (1.2)
  --rounds N         (3, fewer where time gets short)
  --qos 0|1|2        of exact, only that one; may be repeated
  --window N         messages under way per publisher (200 at QoS 1 and 2, 1000 at QoS 0, 4 for fan-out)
  --peer NAME=URL    beside them whatever MQTT 3.1.1 server listens there; may be repeated
  --filters N        the largest filter-index (1000000)
  --processes        instead of all that: edges and workers in processes of their own, on --log and a DynamoDB Local
  --json FILE        the figures
`;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '1.2' },
    rounds: { type: 'string' },
    qos: { type: 'string', multiple: true, default: ['1', '0', '2'] },
    window: { type: 'string' },
    peer: { type: 'string', multiple: true, default: [] },
    filters: { type: 'string', default: '1000000' },
    log: { type: 'string' },
    'pulsar-web': { type: 'string' },
    store: { type: 'string' },
    processes: { type: 'boolean', default: false },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (options.help) process.stdout.write(HELP);
else if (options.processes) await processes();
else await bench(partsOf(positionals), extentOf());

async function bench(parts: readonly Part[], extent: ThroughputOptions): Promise<void> {
  const begun = performance.now();
  const machine = {
    cores: availableParallelism(),
    model: cpus()[0]?.model ?? 'unknown',
    node: process.version,
    loadAverage: loadavg()[0] ?? Number.NaN,
  };
  console.log(`${machine.cores} cores (${machine.model}), Node ${machine.node}, load average ${machine.loadAverage}.`);
  console.log(`Medians and ranges of ${extent.rounds} rounds of ${extent.measureMs} ms, in which all take turns.`);

  const figures: AllFigures = {
    tables: {},
    latencies: [],
    connects: null,
    idle: null,
    index: null,
    transport: null,
    posts: null,
  };
  if (options.log === undefined) await embedded(parts, extent, figures);
  else await onPulsar(options.log, parts, extent, figures);

  const expected = options.log === undefined ? expectations(figures) : expectationsOnPulsar(figures);
  if (expected.length > 0) console.log(`\nExpected${''.padEnd(52)}${'bound'.padStart(12)}${'figure'.padStart(12)}`);
  for (const expectation of expected) console.log(lineOf(expectation));
  const tookS = (performance.now() - begun) / 1_000;
  console.log(`\n${parts.join(', ')}: ${tookS.toFixed(0)} s.`);
  if (options.json === undefined) return;
  writeFileSync(options.json, `${JSON.stringify({ machine, extent, ...figures, expected, tookS }, null, 2)}\n`);
}

async function processes(): Promise<void> {
  await scoped(async (scope) => {
    const { log = 'pulsar', 'pulsar-web': pulsarWeb } = options;
    const runs = await runFleets(scope, { log, pulsarWeb, measureMs: extentOf().measureMs * FLEET_TIMES }, (run) =>
      console.log(lineOfRun(run)),
    );
    const report = fleetReport(runs);
    console.log(report.text);
    if (options.json) writeFileSync(options.json, `${JSON.stringify({ runs, ...report.figures }, null, 2)}\n`);
  });
}

async function embedded(parts: readonly Part[], extent: ThroughputOptions, figures: AllFigures): Promise<void> {
  const does = (...some: Part[]) => some.some((part) => parts.includes(part));
  if (does('exact', 'wildcard', 'fan-out', 'latency', 'connect')) {
    await scoped(async (scope) => {
      const peers = await allPeers(scope, STARTS);
      if (does('exact')) Object.assign(figures.tables, await exact(peers, extent));
      if (does('wildcard')) Object.assign(figures.tables, await wildcard(peers, extent));
      if (does('fan-out')) Object.assign(figures.tables, await fanOut(peers, extent));
      if (does('latency')) figures.latencies.push(await latency(peers, { ...extent, qos: 1, onDisk: true }));
      if (does('connect')) figures.connects = await connectRates(peers, extent);
    });
  }
  if (does('idle')) figures.idle = await idleSizes(startedAnew());
  if (does('filter-index')) figures.index = await byItself('filter-index', options.filters);
  if (does('posts')) figures.posts = await byItself('posts', String(extent.measureMs));
}

async function onPulsar(
  asked: string,
  parts: readonly Part[],
  extent: ThroughputOptions,
  figures: AllFigures,
): Promise<void> {
  await scoped(async (scope) => {
    const pulsar = await benchPulsar(scope, asked, options['pulsar-web']);
    console.log(`The log is ${pulsar.log}.`);
    await warmUp(pulsar);
    const peers = await allPeers(scope, pulsarStarts(pulsar, options.store));
    if (parts.includes('exact')) Object.assign(figures.tables, await exact(peers, extent));
    if (parts.includes('transport')) figures.transport = await transport(pulsar, extent);
    if (!parts.includes('latency')) return;
    const longer = { ...extent, measureMs: extent.measureMs * LATENCY_TIMES };
    for (const qos of extent.qosLevels) figures.latencies.push(await latency(peers, { ...longer, qos, onDisk: false }));
  });
}

async function allPeers(scope: Scope, starts: typeof STARTS): Promise<Peer[]> {
  const peers: Peer[] = [];
  for (const [name, start] of Object.entries(starts)) {
    const peer = await start(scope);
    if (peer !== null) peers.push(peer);
    else console.log(`${name} is not installed here, or has no WebSocket: it is left out.`);
  }
  for (const peer of options.peer) {
    const [name, url] = peer.split(/=(.*)/) as [string, string?];
    if (url === undefined) throw new Error(`--peer is ${peer}; valid: name=ws://127.0.0.1:8083/mqtt`);
    peers.push({ name, url, pid: null, lacks: ['MQTT 5'] });
  }
  return peers;
}

function startedAnew(): ((take: (peer: Peer) => Promise<void>) => Promise<void>)[] {
  return Object.values(STARTS).map(
    (start) => (take) =>
      scoped(async (scope) => {
        const peer = await start(scope);
        if (peer !== null) await take(peer);
      }),
  );
}

/** In a process of its own: it measures its heap, or its CPU. */
async function byItself<Figure>(part: Part, argument: string): Promise<Figure[]> {
  const child = fork(`dist/bench/${part}.mjs`, [argument], { execArgv: ['--expose-gc'] });
  const figures: Figure[] = [];
  child.on('message', (figure) => figures.push(figure as Figure));
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${part} ended with ${code}`);
  return figures;
}

async function scoped(run: (scope: Scope) => Promise<void>): Promise<void> {
  const ends: (() => Promise<void>)[] = [];
  try {
    await run({ after: (end: () => Promise<void>) => ends.push(end) });
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

function partsOf(names: readonly string[]): readonly Part[] {
  const unknown = names.filter((name) => !PARTS.some((part) => part === name));
  if (unknown.length > 0) throw new Error(`no part is ${unknown.join(', ')}\n${HELP}`);
  const possible = options.log === undefined ? WITHOUT_PULSAR : ON_PULSAR;
  const chosen = names.length === 0 ? possible : possible.filter((part) => names.includes(part));
  if (chosen.length < names.length) throw new Error(`with --log: ${ON_PULSAR.join(', ')}; without: all but transport`);
  return chosen;
}

function extentOf(): ThroughputOptions {
  const measureMs = Number(options.seconds) * 1_000;
  const rounds = Number(options.rounds ?? ROUNDS);
  const moreRoundsUntilMs = options.rounds === undefined ? MORE_ROUNDS_UNTIL_MS : Number.POSITIVE_INFINITY;
  const window = options.window === undefined ? null : Number(options.window);
  const qosLevels = options.qos.map(Number) as (0 | 1 | 2)[];
  const isValid = measureMs > 0 && rounds > 0 && (window === null || window > 0);
  if (!isValid || !qosLevels.every((qos) => [0, 1, 2].includes(qos))) throw new Error(HELP);
  return { rounds, moreRoundsUntilMs, warmUpMs: WARM_UP_MS, measureMs, window, qosLevels };
}
