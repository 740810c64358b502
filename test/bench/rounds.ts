import type { Peer } from './peers.js';

export interface Rounds {
  rounds: number;
  /** Since the bench began. From then on one round must do: a busy machine shall not make it long. */
  moreRoundsUntilMs: number;
}

const failed = new Set<Peer>();

/**
 * Takes one measurement of each turn, again and again (A B C A B C), so that whatever else the machine does hurts all
 * alike. By turn, in their order, what each round gave. A peer other than the program that fails has no more turns, and
 * it is said; a failure of the program is the bench's.
 */
export async function inRounds<Turn extends { peer: Peer }, T>(
  turns: readonly Turn[],
  { rounds, moreRoundsUntilMs }: Rounds,
  take: (turn: Turn) => Promise<T>,
): Promise<T[][]> {
  const taken: T[][] = turns.map(() => []);
  for (let round = 0; round < rounds; round += 1) {
    if (round > 0 && performance.now() > moreRoundsUntilMs) {
      console.log(`\nTime is short: ${round} rounds of what follows, not ${rounds}.`);
      break;
    }
    for (const [i, turn] of turns.entries()) {
      if (failed.has(turn.peer)) continue;
      try {
        taken[i]?.push(await take(turn));
      } catch (error) {
        if (turn.peer.name === 'program') throw error;
        console.log(`\n${turn.peer.name} is left out from here on: ${(error as Error).message}`);
        failed.add(turn.peer);
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

/** The median of the rounds' own ratios: what slows one round down slows both. NaN where there was no round of both. */
export function ratioOf(rounds: readonly number[], others: readonly number[]): number {
  return median(rounds.slice(0, others.length).map((value, round) => value / (others[round] as number)));
}

/** The median of the rounds' own differences, as above. */
export function differenceOf(rounds: readonly number[], others: readonly number[]): number {
  return median(rounds.slice(0, others.length).map((value, round) => value - (others[round] as number)));
}

/** NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}
