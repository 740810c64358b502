import type { Peer } from './peers.js';

/**
 * Takes one measurement of each peer in turn, again and again (A B C A B C), so that whatever else the machine does
 * hurts all alike. By name of peer, in the order of `peers`. A peer other than the program that fails is left out from
 * then on, and it is said; a failure of the program is the bench's.
 */
export async function inRounds<T>(
  peers: readonly Peer[],
  rounds: number,
  take: (peer: Peer) => Promise<T>,
): Promise<Map<string, T[]>> {
  const taken = new Map<string, T[]>();
  const failed = new Set<Peer>();
  for (let round = 0; round < rounds; round += 1) {
    for (const peer of peers) {
      if (failed.has(peer)) continue;
      try {
        const one = await take(peer);
        taken.set(peer.name, [...(taken.get(peer.name) ?? []), one]);
      } catch (error) {
        if (peer.name === 'program') throw error;
        console.log(`  ${peer.name} is left out from here on: ${(error as Error).message}`);
        failed.add(peer);
      }
    }
  }
  return taken;
}

export interface Spread {
  median: number;
  min: number;
  max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}
