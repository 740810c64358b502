interface Use {
  ready: Promise<void>;
  /** Who waits for it. */
  count: number;
}

/** Makes a topic ready before anything is appended to it, once; what is appended meanwhile waits, and keeps its order. */
export class FirstUse {
  readonly #makeReady: (topic: string) => Promise<void> | null;
  readonly #ready = new Set<string>();
  readonly #waiting = new Map<string, Use>();

  /** `makeReady` gives null where there is nothing to do. */
  constructor(makeReady: (topic: string) => Promise<void> | null) {
    this.#makeReady = makeReady;
  }

  /** Rejects as making it ready does, and then the next use tries again. */
  use<T>(topic: string, run: () => Promise<T>): Promise<T> {
    if (this.#ready.has(topic)) return run();
    const known = this.#waiting.get(topic);
    const ready = known?.ready ?? this.#makeReady(topic);
    if (ready !== null) return this.#wait(topic, known ?? { ready, count: 0 }, run);
    this.#ready.add(topic);
    return run();
  }

  async #wait<T>(topic: string, use: Use, run: () => Promise<T>): Promise<T> {
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
