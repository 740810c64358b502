/** So many a second, and as many at once as a second brings. Time is the caller's, in milliseconds. */
export class TokenBucket {
  readonly #perMs: number;
  readonly #most: number;
  #tokens: number;
  #atMs: number;

  constructor(perS: number, nowMs: number) {
    this.#perMs = perS / 1_000;
    this.#most = Math.max(1, perS);
    this.#tokens = this.#most;
    this.#atMs = nowMs;
  }

  /** Takes one; or the milliseconds until there will be one. */
  take(nowMs: number): 0 | number {
    this.#tokens = Math.min(this.#most, this.#tokens + Math.max(0, nowMs - this.#atMs) * this.#perMs);
    this.#atMs = Math.max(this.#atMs, nowMs);
    if (this.#tokens < 1) return Math.ceil((1 - this.#tokens) / this.#perMs);
    this.#tokens -= 1;
    return 0;
  }
}
