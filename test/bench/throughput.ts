import type { LoadTask } from './load.js';
import { measure } from './measure.js';
import type { Feature, Peer } from './peers.js';
import { type Result, resultsOf, tableOf } from './report.js';
import { inRounds, type Rounds } from './rounds.js';

/** What all of a bench's measurements have in common. */
export interface Extent extends Rounds {
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
export const WINDOWS = { 0: 1_000, 1: 200, 2: 200 } as const;

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

export function exact(peers: readonly Peer[], options: ThroughputOptions): Promise<Tables> {
  const tasks = options.qosLevels.map((qos): [string, Task] => [
    `QoS ${qos}`,
    { ...PAIRS_TASK, qos, window: options.window ?? WINDOWS[qos] },
  ]);
  return compared(tasks, peers, options);
}

export function wildcard(peers: readonly Peer[], options: ThroughputOptions): Promise<Tables> {
  const task: Task = { ...PAIRS_TASK, qos: 1, wildcard: true, window: options.window ?? WINDOWS[1] };
  return compared([['QoS 1, with +', task]], peers, options);
}

export function fanOut(peers: readonly Peer[], options: ThroughputOptions): Promise<Tables> {
  const tasks = ([0, 1] as const).map((qos): [string, Task] => [
    `1 to ${FAN_OUT}, QoS ${qos}`,
    { ...PAIRS_TASK, qos, pairs: 1, fanOut: FAN_OUT, window: options.window ?? FAN_OUT_WINDOW },
  ]);
  return compared(tasks, peers, options);
}

type Task = Omit<LoadTask, 'urls' | 'warmUpMs' | 'measureMs'>;

/** All tasks in each round: they are compared with one another as well. */
async function compared(tasks: [string, Task][], peers: readonly Peer[], extent: Extent): Promise<Tables> {
  const turns = tasks.flatMap(([title, task]) =>
    peers.filter((peer) => isAble(peer, task)).map((peer) => ({ title, task, peer })),
  );
  const { warmUpMs, measureMs } = extent;
  const taken = await inRounds(turns, extent, ({ task, peer }) => measure(peer, { ...task, warmUpMs, measureMs }));
  const tables: Tables = {};
  for (const [title] of tasks) {
    const ofTitle = turns.flatMap(({ title: its, peer }, i) => {
      const measurements = taken[i] ?? [];
      return its === title && measurements.length > 0 ? [{ name: peer.name, measurements }] : [];
    });
    tables[title] = resultsOf(ofTitle);
    console.log(tableOf(title, tables[title]));
  }
  return tables;
}

export function isAble({ lacks, connectionsMax = Number.POSITIVE_INFINITY }: Peer, task: Task): boolean {
  const needs: Feature[] = [];
  if (task.qos === 2) needs.push('QoS 2');
  if (task.wildcard) needs.push('wildcards');
  return task.pairs * (task.fanOut + 1) <= connectionsMax && !needs.some((feature) => lacks.includes(feature));
}
