/** After so long without a worse one, an age says nothing of now. */
const KEPT_MS = 60_000;

/** How long publications were in the log when they were handed out: the longest of the last minute. About 0 while fan-out keeps up. */
export class BacklogAge {
  #worstMs = 0;
  #atMs = 0;

  handedOut(appendedAtMs: number, now: number): void {
    // The log's clock may be ahead of ours.
    const ageMs = Math.max(0, now - appendedAtMs);
    if (ageMs < this.at(now)) return;
    this.#worstMs = ageMs;
    this.#atMs = now;
  }

  at(now: number): number {
    return now - this.#atMs < KEPT_MS ? this.#worstMs : 0;
  }
}
