import type { LoadTask } from './load.js';
import { type Measurement, measure } from './measure.js';
import type { Feature, Peer } from './peers.js';
import { type Result, resultsOf, tableOf } from './report.js';
import { inRounds } from './rounds.js';

/** What all of a bench's measurements have in common. */
export interface Extent {
  rounds: number;
  warmUpMs: number;
  measureMs: number;
}

export interface ThroughputOptions extends Extent {
  qosLevels: readonly (0 | 1 | 2)[];
  /** Messages under way per publisher; null: by QoS. */
  window: number | null;
}

const PAIRS = 4;
const PAYLOAD_BYTES = 128;
const FAN_OUT = 1_000;
const FAN_OUT_WINDOW = 4;
/** Per publisher. QoS 0 is not acknowledged: its window is closed by arrivals, which are further away. */
const WINDOWS = { 0: 1_000, 1: 200, 2: 200 } as const;

/** Pairs of a publisher and a subscriber, exact filters, no more than the windows allow. */
export const PAIRS_TASK = {
  pairs: PAIRS,
  fanOut: 1,
  wildcard: false,
  payloadBytes: PAYLOAD_BYTES,
  ratePerS: null,
} as const;

/** By title: `QoS 1`, `QoS 1, with +`, `1 to 1000, QoS 0`. */
export type Tables = Record<string, Result[]>;

export async function exact(peers: readonly Peer[], options: ThroughputOptions): Promise<Tables> {
  const tables: Tables = {};
  for (const qos of options.qosLevels) {
    const task = { ...PAIRS_TASK, qos, window: options.window ?? WINDOWS[qos] };
    tables[`QoS ${qos}`] = await compared(`QoS ${qos}`, peers, task, options);
  }
  return tables;
}

export async function wildcard(peers: readonly Peer[], options: ThroughputOptions): Promise<Tables> {
  const title = 'QoS 1, with +';
  const task = { ...PAIRS_TASK, qos: 1 as const, wildcard: true, window: options.window ?? WINDOWS[1] };
  return { [title]: await compared(title, peers, task, options) };
}

export async function fanOut(peers: readonly Peer[], options: ThroughputOptions): Promise<Tables> {
  const tables: Tables = {};
  for (const qos of [0, 1] as const) {
    const title = `1 to ${FAN_OUT}, QoS ${qos}`;
    const task = { ...PAIRS_TASK, qos, pairs: 1, fanOut: FAN_OUT, window: options.window ?? FAN_OUT_WINDOW };
    tables[title] = await compared(title, peers, task, options);
  }
  return tables;
}

type Task = Omit<LoadTask, 'url' | 'warmUpMs' | 'measureMs'>;

async function compared(title: string, peers: readonly Peer[], task: Task, extent: Extent): Promise<Result[]> {
  const { rounds, warmUpMs, measureMs } = extent;
  const connections = task.pairs * (task.fanOut + 1);
  const needed: Feature[] = [
    ...(task.qos === 2 ? ['QoS 2' as const] : []),
    ...(task.wildcard ? ['wildcards' as const] : []),
  ];
  const able = peers.filter(
    ({ lacks, connectionsMax = Number.POSITIVE_INFINITY }) =>
      connections <= connectionsMax && !needed.some((feature) => lacks.includes(feature)),
  );
  const taken: Map<string, Measurement[]> = await inRounds(able, rounds, (peer) =>
    measure(peer, { ...task, warmUpMs, measureMs }),
  );
  const results = resultsOf(taken);
  console.log(tableOf(title, results));
  return results;
}
