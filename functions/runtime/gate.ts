/** Whether this process may act for its shards: null: it may. Else it was paused, and the promise resolves if it may still. */
export type Sure = () => Promise<void> | null;

/** Holds back, in order, what a process would do while it is not sure that it may. */
export class Gate {
  readonly #sure: Sure;
  readonly #held: (() => void)[] = [];

  constructor(sure: Sure) {
    this.#sure = sure;
  }

  pass(run: () => void): void {
    const unsure = this.#sure();
    if (unsure === null && this.#held.length === 0) return run();
    this.#held.push(run);
    if (this.#held.length === 1) void this.#release();
  }

  async #release(): Promise<void> {
    await this.#sure();
    for (let held = this.#held[0]; held !== undefined; held = this.#held[0]) {
      held();
      this.#held.shift();
    }
  }
}
