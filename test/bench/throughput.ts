/** `npm run bench`: the program beside others, in the same run, round by round; then what was expected of it. */
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import type { Scope } from '../support/waiting.js';
import { connectRate, idleBytes } from './connections.js';
import { expectations } from './expectations.js';
import { flushMs } from './flush.js';
import type { LoadTask } from './load.js';
import { type Measurement, measure, type Peer } from './measure.js';
import { aedes, mosquitto, program, relay } from './peers.js';
import { type Result, resultsOf, row, tableOf } from './report.js';

const PAIRS = 4;
const PAYLOAD_BYTES = 128;
const WARM_UP_MS = 1_000;
const FAN_OUT = 1_000;
/** Per publisher. QoS 0 is not acknowledged: its window is closed by arrivals, which are further away. */
const WINDOWS = { 0: 1_000, 1: 200, 2: 200 } as const;
const FAN_OUT_WINDOW = 4;
const LATENCY_RATE_PER_S = 200;
const CONNECTS = 2_000;
const IDLE = 5_000;

const HELP = `npm run bench -- [options]
  --only PART        exact, wildcard, fan-out, latency, connect or idle; may be repeated
  --seconds N        of each measurement, after 1 s of warm-up (3)
  --rounds N         (3)
  --qos 0|1|2        only that one; may be repeated
  --window N         messages under way per publisher (200 at QoS 1 and 2, 1,000 at QoS 0)
  --peer NAME=URL    beside them whatever MQTT 3.1.1 server listens there; may be repeated
  --json             figures as JSON on standard output, the tables on standard error
`;

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: ['exact', 'wildcard', 'fan-out', 'latency', 'connect', 'idle'] },
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '3' },
    qos: { type: 'string', multiple: true, default: ['1', '0', '2'] },
    window: { type: 'string' },
    peer: { type: 'string', multiple: true, default: [] },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const ends: (() => Promise<void>)[] = [];
const scope: Scope = { after: (end: () => Promise<void>) => ends.push(end) };
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
  const qosLevels = options.qos.map(Number) as (0 | 1 | 2)[];
  if (!(measureMs > 0 && rounds > 0 && qosLevels.every((qos) => [0, 1, 2].includes(qos)))) throw new Error(HELP);
  const does = (part: string) => options.only.includes(part);
  const peers = await allPeers();
  const base = {
    pairs: PAIRS,
    fanOut: 1,
    wildcard: false,
    payloadBytes: PAYLOAD_BYTES,
    warmUpMs: WARM_UP_MS,
    measureMs,
  };
  say(`${availableParallelism()} cores (${cpus()[0]?.model}), Node ${process.version}, nothing pinned.`);
  say(
    `${PAIRS} publishers, ${PAIRS} subscribers, ${PAYLOAD_BYTES} B, ${rounds} rounds of ${measureMs / 1_000} s each.`,
  );

  const tables: Record<string, Result[]> = {};
  const compare = async (title: string, task: Omit<LoadTask, 'url' | 'window' | 'ratePerS'>, window?: number) => {
    const isSimple = task.qos < 2 && !task.wildcard;
    const taken = new Map<string, Measurement[]>();
    const clients = task.pairs * (task.fanOut + 1);
    const able = takers(peers, clients).filter(({ knows }) => knows === 'all' || isSimple);
    for (let round = 0; round < rounds; round += 1) {
      for (const peer of able) {
        const full = { ...task, window: window ?? windowAt(task.qos), ratePerS: null };
        taken.set(peer.name, [...(taken.get(peer.name) ?? []), await measure(peer, full)]);
      }
    }
    tables[title] = resultsOf(taken);
    say(tableOf(title, tables[title]));
  };
  if (does('exact')) for (const qos of qosLevels) await compare(`QoS ${qos}`, { ...base, qos });
  if (does('wildcard')) await compare('QoS 1, wildcard', { ...base, qos: 1, wildcard: true });
  if (does('fan-out')) {
    for (const qos of [0, 1] as const) {
      await compare(`1 to ${FAN_OUT}, QoS ${qos}`, { ...base, qos, pairs: 1, fanOut: FAN_OUT }, FAN_OUT_WINDOW);
    }
  }
  const latency = does('latency') ? await latencies(peers, { ...base, qos: 1, window: windowAt(1) }) : null;
  const connects = does('connect') ? await connectRates(peers) : null;
  const idle = does('idle') ? await idleSizes(peers) : null;
  const expected = expectations({ tables, latency, connects });
  if (expected.length > 0) say('\nExpected');
  for (const { what, figure, met } of expected) say(`  ${met ? 'met    ' : 'not met'}  ${what}: ${figure}`);
  if (!options.json) return;
  const machine = { cores: availableParallelism(), model: cpus()[0]?.model, node: process.version };
  process.stdout.write(
    `${JSON.stringify({ machine, rounds, measureMs, tables, latency, connects, idle, expected }, null, 2)}\n`,
  );
}

async function allPeers(): Promise<Peer[]> {
  const peers = [await program(scope), await relay(scope, false), await relay(scope, true), await aedes(scope)];
  const installed = await mosquitto(scope);
  if (installed === null) say('Mosquitto is not installed here, or has no WebSocket.');
  else peers.push(installed);
  for (const peer of options.peer) {
    const [name, url] = peer.split(/=(.*)/) as [string, string?];
    if (url === undefined) throw new Error(`--peer is ${peer}; valid: name=ws://127.0.0.1:8083/mqtt`);
    peers.push({ name, url, pid: null, knows: 'all' });
  }
  return peers;
}

async function latencies(peers: readonly Peer[], task: Omit<LoadTask, 'url' | 'ratePerS'>) {
  const flush = flushMs();
  say(`\nLatency at ${LATENCY_RATE_PER_S} messages/s, QoS 1 (one flush here: ${flush.toFixed(2)} ms)`);
  const taken = [];
  for (const peer of peers) {
    const { latencyMs } = await measure(peer, { ...task, ratePerS: LATENCY_RATE_PER_S });
    const [p50, p99] = [latencyMs?.p50 ?? Number.NaN, latencyMs?.p99 ?? Number.NaN];
    say(row(peer.name, [`p50 ${p50.toFixed(2)} ms`, `p99 ${p99.toFixed(2)} ms`]));
    taken.push({ name: peer.name, p50, p99 });
  }
  return { flushMs: flush, taken };
}

async function connectRates(peers: readonly Peer[]) {
  say(`\nConnect, subscribe, SUBACK: clients/s of ${CONNECTS}`);
  const taken = [];
  for (const peer of takers(peers, CONNECTS)) {
    const clean = await connectRate(peer, CONNECTS, false);
    const persistent = peer.knows === 'all' ? await connectRate(peer, CONNECTS, true) : null;
    say(row(peer.name, [`${clean.toFixed(0)} clean`, persistent === null ? '' : `${persistent.toFixed(0)} kept`]));
    taken.push({ name: peer.name, clean, persistent });
  }
  return taken;
}

async function idleSizes(peers: readonly Peer[]) {
  say(`\nResident memory for each of ${IDLE} idle connections with a subscription`);
  const taken = [];
  for (const peer of takers(peers, IDLE)) {
    const bytes = await idleBytes(peer, IDLE);
    say(row(peer.name, [bytes === null ? '?' : `${(bytes / 1024).toFixed(1)} KiB`]));
    taken.push({ name: peer.name, bytes });
  }
  return taken;
}

/** Those that take so many connections. */
function takers(peers: readonly Peer[], connections: number): Peer[] {
  return peers.filter(({ connectionsMax = Number.POSITIVE_INFINITY }) => connections <= connectionsMax);
}

function windowAt(qos: 0 | 1 | 2): number {
  return options.window === undefined ? WINDOWS[qos] : Number(options.window);
}

function say(text: string): void {
  (options.json ? process.stderr : process.stdout).write(`${text}\n`);
}
