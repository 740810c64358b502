import type { Clock } from '../ports/clock.js';

/** Lets something be said now and then: what a client causes is counted each time, and said seldom. */
export class Seldom {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #saidAtMs = new Map<string, number>();

  constructor(clock: Clock, everyMs: number) {
    this.#clock = clock;
    this.#everyMs = everyMs;
  }

  /** Whether it is time to say `what`; then it was said now. */
  may(what: string): boolean {
    const now = this.#clock.now();
    if (now - (this.#saidAtMs.get(what) ?? Number.NEGATIVE_INFINITY) < this.#everyMs) return false;
    this.#saidAtMs.set(what, now);
    return true;
  }
}
