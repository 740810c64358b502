/** `npm run bench`: the program beside a bare relay, in the same run, round by round. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Program } from '../support/program.js';
import { type Measurement, measure, median, type Peer } from './measure.js';

const PAIRS = 4;
const PAYLOAD_BYTES = 128;
const WARM_UP_MS = 1_000;
/** Per publisher. QoS 0 is not acknowledged: its window is closed by arrivals, which are further away. */
const WINDOWS = { 0: 1_000, 1: 200 } as const;
const LATENCY_RATE_PER_S = 200;
/** Not a temporary directory of the system: that may be memory. */
const DATA = resolve('dist/.bench-data');

const HELP = `npm run bench -- [options]
  --seconds N        of each measurement, after 1 s of warm-up (4)
  --rounds N         (3)
  --qos 0|1          only that one; may be repeated
  --window N         messages under way per publisher (200 at QoS 1, 1,000 at QoS 0)
  --joined           beside them a relay that sends what one event-loop turn produced in one frame
  --peer NAME=URL    beside them whatever MQTT 3.1.1 server listens there; may be repeated
  --json             figures as JSON on standard output, the table on standard error
`;

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '3' },
    qos: { type: 'string', multiple: true, default: ['1', '0'] },
    window: { type: 'string' },
    joined: { type: 'boolean', default: false },
    peer: { type: 'string', multiple: true, default: [] },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const ends: (() => Promise<void>)[] = [];
const scope = { after: (end: () => Promise<void>) => ends.push(end) };
if (options.help) {
  process.stdout.write(HELP);
} else {
  try {
    await bench();
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

async function bench(): Promise<void> {
  const measureMs = Number(options.seconds) * 1_000;
  const rounds = Number(options.rounds);
  const qosLevels = options.qos.map(Number) as (0 | 1)[];
  if (!(measureMs > 0 && rounds > 0 && qosLevels.every((qos) => qos === 0 || qos === 1))) throw new Error(HELP);
  const task = { pairs: PAIRS, payloadBytes: PAYLOAD_BYTES, warmUpMs: WARM_UP_MS, measureMs };
  const windowAt = (qos: 0 | 1) => (options.window === undefined ? WINDOWS[qos] : Number(options.window));
  const peers = [
    await program(),
    await relay('relay'),
    ...(options.joined ? [await relay('joined relay', 'join')] : []),
  ];
  for (const peer of options.peer) {
    const [name, url] = peer.split(/=(.*)/) as [string, string?];
    if (url === undefined) throw new Error(`--peer is ${peer}; valid: name=ws://127.0.0.1:8083/mqtt`);
    peers.push({ name, url, pid: null });
  }
  say(`${availableParallelism()} cores (${cpus()[0]?.model}), Node ${process.version}, nothing pinned.`);
  say(
    `${PAIRS} publishers, ${PAIRS} subscribers, exact filters, ${PAYLOAD_BYTES} B, ${rounds} rounds of ${measureMs / 1_000} s.`,
  );

  const throughput = [];
  for (const qos of qosLevels) {
    const taken = new Map(peers.map(({ name }) => [name, [] as Measurement[]]));
    for (let round = 0; round < rounds; round += 1) {
      for (const peer of peers)
        taken.get(peer.name)?.push(await measure(peer, { ...task, qos, window: windowAt(qos), ratePerS: null }));
    }
    throughput.push({ qos, results: table(qos, taken) });
  }
  say(`\nLatency at ${LATENCY_RATE_PER_S} messages/s, QoS 1   p50 ms   p99 ms`);
  const latency = [];
  for (const peer of peers) {
    const { latencyMs } = await measure(peer, { ...task, qos: 1, window: windowAt(1), ratePerS: LATENCY_RATE_PER_S });
    say(row(peer.name, [latencyMs?.p50.toFixed(2) ?? '', latencyMs?.p99.toFixed(2) ?? '']));
    latency.push({ name: peer.name, ...latencyMs });
  }
  const machine = { cores: availableParallelism(), model: cpus()[0]?.model, node: process.version };
  if (options.json)
    process.stdout.write(`${JSON.stringify({ machine, rounds, measureMs, throughput, latency }, null, 2)}\n`);
}

/** Prints the medians of one QoS, each beside those of the first, and returns them. */
function table(qos: number, taken: ReadonlyMap<string, readonly Measurement[]>) {
  say(`\nQoS ${qos}                       delivered/s   server µs/msg   server cores   load cores   lost        ratio`);
  const first = [...taken.values()][0] ?? [];
  const rateOf = (of: readonly Measurement[]) => median(of.map(({ deliveredPerS }) => deliveredPerS));
  return [...taken].map(([name, measurements]) => {
    const result = {
      name,
      deliveredPerS: Math.round(rateOf(measurements)),
      serverCpuUs: medianOrNull(measurements.map(({ serverCpuUs }) => serverCpuUs)),
      serverCores: medianOrNull(measurements.map(({ serverCores }) => serverCores)),
      loadCores: median(measurements.map(({ loadCores }) => loadCores)),
      lost: measurements.reduce((sum, { lost }) => sum + lost, 0),
      /** The program's rate by this one's. */
      ratio: rateOf(first) / rateOf(measurements),
      rounds: measurements.map(({ deliveredPerS }) => Math.round(deliveredPerS)),
    };
    const figures = [result.serverCpuUs?.toFixed(1), result.serverCores?.toFixed(2), result.loadCores.toFixed(2)];
    const rest = [String(result.lost), result.ratio.toFixed(2)];
    say(row(name, [result.deliveredPerS.toLocaleString('en'), ...figures.map((figure) => figure ?? '?'), ...rest]));
    return result;
  });
}

async function program(): Promise<Peer> {
  mkdirSync(DATA, { recursive: true });
  const directory = mkdtempSync(`${DATA}/run-`);
  scope.after(async () => rmSync(directory, { recursive: true, force: true }));
  const data = { PULSEGATE_LOG: `embedded:${directory}`, PULSEGATE_STORE: `embedded:${directory}` };
  const running = await Program.start(scope, data);
  return { name: 'program', url: running.url, pid: running.pid };
}

async function relay(name: string, ...args: string[]): Promise<Peer> {
  const child = fork('dist/bench/relay.mjs', args);
  scope.after(async () => {
    child.kill();
  });
  const [url] = (await once(child, 'message')) as [string];
  return { name, url, pid: child.pid ?? null };
}

function medianOrNull(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : median(known);
}

function row(name: string, columns: readonly string[]): string {
  return `  ${name.padEnd(20)}${columns.map((column) => column.padStart(14)).join('')}`;
}

function say(text: string): void {
  (options.json ? process.stderr : process.stdout).write(`${text}\n`);
}
