const FIRST_MS = 50;
const LAST_MS = 5_000;

/** Delays between tries: each twice the one before, and of that a random half to whole, so that many do not come at once. */
export class BackOff {
  #nextMs = FIRST_MS;

  /** Milliseconds. */
  next(): number {
    const ms = this.#nextMs * (0.5 + Math.random() / 2);
    this.#nextMs = Math.min(LAST_MS, this.#nextMs * 2);
    return ms;
  }

  reset(): void {
    this.#nextMs = FIRST_MS;
  }
}
