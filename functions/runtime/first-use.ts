/** Makes a topic ready before anything is appended to it, once; what is appended meanwhile waits, and keeps its order. */
export class FirstUse {
  readonly #makeReady: (topic: string) => Promise<void>;
  readonly #ready = new Set<string>();
  readonly #waiting = new Map<string, { ready: Promise<void>; count: number }>();

  constructor(makeReady: (topic: string) => Promise<void>) {
    this.#makeReady = makeReady;
  }

  isReady(topic: string): boolean {
    return this.#ready.has(topic);
  }

  /** Rejects as making it ready does, and then the next use tries again. */
  async use<T>(topic: string, run: () => Promise<T>): Promise<T> {
    const use = this.#waiting.get(topic) ?? { ready: this.#makeReady(topic), count: 0 };
    use.count += 1;
    this.#waiting.set(topic, use);
    let made: Promise<T> | undefined;
    try {
      await use.ready;
      made = run();
    } finally {
      use.count -= 1;
      // Not before all that waited have had their turn: nothing may overtake them.
      if (use.count === 0) {
        this.#waiting.delete(topic);
        if (made !== undefined) this.#ready.add(topic);
      }
    }
    return made;
  }
}
