/** Whether this process may act for its shards: null: it may. Else it was paused, and the promise resolves if it may still. */
export type Sure = () => Promise<void> | null;

/** Takes what a shard is told, in order, and holds it back while the process is not sure that the shard is its own. */
export class HeldBack<T> {
  readonly #sure: Sure;
  readonly #take: (item: T) => void;
  #held: T[] = [];

  constructor(sure: Sure, take: (item: T) => void) {
    this.#sure = sure;
    this.#take = take;
  }

  take(item: T): void {
    if (this.#held.length === 0 && this.#sure() === null) return this.#take(item);
    this.#held.push(item);
    if (this.#held.length === 1) void this.#release();
  }

  async #release(): Promise<void> {
    await this.#sure();
    const held = this.#held;
    this.#held = [];
    for (const item of held) this.#take(item);
  }
}
