import type { Timeline } from './timeline.js';

/** What one process does and hears: all of it waits while the process is paused, and nothing comes of it once it is no more. */
export class Process {
  isAlive = true;
  /** There while it is paused. */
  #held: (() => void)[] | null = null;

  /** `entered`: told before each thing that it does. */
  constructor(
    private readonly timeline: Timeline,
    private readonly entered: (process: Process) => void,
  ) {}

  get isPaused(): boolean {
    return this.#held !== null;
  }

  after(ms: number, run: () => void): () => void {
    let isCancelled = false;
    const cancel = this.timeline.after(ms, () =>
      this.run(() => {
        if (!isCancelled) run();
      }),
    );
    return () => {
      isCancelled = true;
      cancel();
    };
  }

  /** Now, or when it goes on. */
  run(run: () => void): void {
    if (!this.isAlive) return;
    if (this.#held !== null) return void this.#held.push(run);
    this.entered(this);
    run();
  }

  pause(): void {
    this.#held ??= [];
  }

  /** What waited comes one after another, each in an event of its own. */
  resume(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const run of held) this.timeline.after(0, () => this.run(run));
  }

  end(): void {
    this.isAlive = false;
    this.#held = null;
  }
}
