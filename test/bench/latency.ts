import { flushMs } from './flush.js';
import { measure } from './measure.js';
import type { Peer } from './peers.js';
import { header, rangeOf, row } from './report.js';
import { inRounds, type Spread, spreadOf } from './rounds.js';
import { type Extent, isAble, PAIRS_TASK } from './throughput.js';

const RATE_PER_S = 200;

export interface LatencyOptions extends Extent {
  qos: 0 | 1 | 2;
  /** Whether the program has its data on this disk. */
  onDisk: boolean;
}

export interface Latencies {
  qos: 0 | 1 | 2;
  ratePerS: number;
  /** Of one fdatasync behind a small append, taken before each measurement of the program; null: it has no disk of its own. */
  flushMs: Spread | null;
  /** From sending to arrival, over the rounds. */
  peers: { name: string; p50Ms: Spread; p99Ms: Spread; rounds: { p50: number; p99: number }[] }[];
}

/** At a rate that keeps nobody busy. */
export async function latency(peers: readonly Peer[], { qos, onDisk, ...extent }: LatencyOptions): Promise<Latencies> {
  const { warmUpMs, measureMs } = extent;
  const flushes: number[] = [];
  const task = { ...PAIRS_TASK, qos, window: 0, ratePerS: RATE_PER_S, warmUpMs, measureMs };
  const turns = peers.filter((peer) => isAble(peer, task)).map((peer) => ({ peer }));
  const taken = await inRounds(turns, extent, async ({ peer }) => {
    if (onDisk && peer.name === 'program') flushes.push(flushMs());
    const { latencyMs } = await measure(peer, task);
    if (latencyMs === null || Number.isNaN(latencyMs.p50)) throw new Error('nothing arrived');
    return latencyMs;
  });
  const flush = onDisk ? spreadOf(flushes) : null;
  console.log(header(`${RATE_PER_S} msg/s, QoS ${qos}, in ms`, ['p50', 'range', 'p99', 'range']));
  if (flush !== null) console.log(row('one flush', [flush.median.toFixed(2), rangeOf(flush, 2)]));
  const figures = turns.flatMap(({ peer: { name } }, i) => {
    const rounds = taken[i] ?? [];
    if (rounds.length === 0) return [];
    const p50Ms = spreadOf(rounds.map(({ p50 }) => p50));
    return [{ name, p50Ms, p99Ms: spreadOf(rounds.map(({ p99 }) => p99)), rounds }];
  });
  for (const { name, p50Ms, p99Ms } of figures) {
    const columns = [p50Ms, p99Ms].flatMap((spread) => [spread.median.toFixed(2), rangeOf(spread, 2)]);
    console.log(row(name, columns));
  }
  return { qos, ratePerS: RATE_PER_S, flushMs: flush, peers: figures };
}
