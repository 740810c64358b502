import { randomOf } from '../support/random.js';

/** All that is left to chance in a run, drawn from its seed. */
export class Chance {
  readonly #below: (below: number) => number;

  constructor(seed: number) {
    this.#below = randomOf(seed);
  }

  /** A whole number from 0 up to and without `below`. */
  below(below: number): number {
    return this.#below(below);
  }

  /** A number from `low` up to `high`, to a thousandth. */
  between(low: number, high: number): number {
    return low + ((high - low) * this.#below(100_000)) / 100_000;
  }

  /** True that many times in a hundred; fractions count. */
  percent(percent: number): boolean {
    return this.#below(100_000) < percent * 1_000;
  }

  one<T>(of: readonly T[]): T {
    return of[this.#below(of.length)] as T;
  }

  /** One of the names, as often as its weight says. */
  weighed<T extends string>(weights: Readonly<Record<T, number>>): T {
    const names = Object.keys(weights) as T[];
    let left = this.#below(names.reduce((sum, name) => sum + weights[name], 0));
    for (const name of names) {
      left -= weights[name];
      if (left < 0) return name;
    }
    return names[0] as T;
  }
}
