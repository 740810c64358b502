import { flushMs } from './flush.js';
import { measure } from './measure.js';
import type { Peer } from './peers.js';
import { header, rangeOf, row } from './report.js';
import { inRounds, type Spread, spreadOf } from './rounds.js';
import { type Extent, PAIRS_TASK } from './throughput.js';

const RATE_PER_S = 200;

export interface Latencies {
  ratePerS: number;
  /** Of one fdatasync behind a small append, taken before each measurement of the program. */
  flushMs: Spread;
  /** From sending to arrival, over the rounds. */
  peers: { name: string; p50Ms: Spread; p99Ms: Spread }[];
}

/** QoS 1 at a rate that keeps nobody busy. */
export async function latency(peers: readonly Peer[], extent: Extent): Promise<Latencies> {
  const { warmUpMs, measureMs } = extent;
  const flushes: number[] = [];
  const task = { ...PAIRS_TASK, qos: 1 as const, window: 0, ratePerS: RATE_PER_S, warmUpMs, measureMs };
  const turns = peers.map((peer) => ({ peer }));
  const taken = await inRounds(turns, extent, async ({ peer }) => {
    if (peer.name === 'program') flushes.push(flushMs());
    const { latencyMs } = await measure(peer, task);
    if (latencyMs === null || Number.isNaN(latencyMs.p50)) throw new Error('nothing arrived');
    return latencyMs;
  });
  const flush = spreadOf(flushes);
  console.log(header(`${RATE_PER_S} msg/s, QoS 1, in ms`, ['p50', 'range', 'p99', 'range']));
  console.log(row('one flush', [flush.median.toFixed(2), rangeOf(flush, 2)]));
  const figures = turns.flatMap(({ peer: { name } }, i) => {
    const each = taken[i] ?? [];
    if (each.length === 0) return [];
    return [{ name, p50Ms: spreadOf(each.map(({ p50 }) => p50)), p99Ms: spreadOf(each.map(({ p99 }) => p99)) }];
  });
  for (const { name, p50Ms, p99Ms } of figures) {
    const columns = [p50Ms, p99Ms].flatMap((spread) => [spread.median.toFixed(2), rangeOf(spread, 2)]);
    console.log(row(name, columns));
  }
  return { ratePerS: RATE_PER_S, flushMs: flush, peers: figures };
}
