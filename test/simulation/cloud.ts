import { PortError } from '../../functions/ports/errors.js';
import type { Change, DiskManner, Storage } from './disk.js';
import type { Process } from './process.js';
import type { Timeline } from './timeline.js';

export type CloudManner = Pick<DiskManner, 'toApplyMs' | 'toAnswerMs' | 'fails' | 'note'> & {
  /** Whether a write that a crash meets under way arrives all the same, late. */
  arrives(): boolean;
};

/**
 * Log and store that several processes share, as one of them reaches them. What takes effect is durable. A write goes on though
 * its process is paused, and may though it is no more; those of one lane of one process take effect in the order of the calls.
 */
export class Cloud implements Storage {
  readonly #lastDueMs = new Map<string, number>();
  readonly #lost = new Set<string>();
  #underWay = 0;
  #whenIdle: (() => void)[] = [];

  constructor(
    private readonly timeline: Timeline,
    private readonly process: Process,
    private readonly manner: CloudManner,
  ) {}

  write<T>(lane: string, what: string, make: () => Change<T>): Promise<T> {
    const failure = this.manner.fails(lane);
    this.#underWay += 1;
    return new Promise<T>((resolve, reject) => {
      const dueMs = Math.max(this.timeline.exactMs + this.manner.toApplyMs(), this.#lastDueMs.get(lane) ?? 0);
      this.#lastDueMs.set(lane, dueMs);
      this.timeline.at(dueMs, () => {
        if (!this.process.isAlive && this.#isLost(lane)) return;
        const answer = (say: () => void) => this.#answer(say);
        if (failure !== null && !failure.applied) {
          return answer(() => reject(new PortError(failure.code, 'simulated')));
        }
        try {
          const change = make();
          this.manner.note(`cloud ${what}`);
          change.flushed?.();
          answer(() => (failure ? reject(new PortError(failure.code, 'simulated')) : resolve(change.value)));
        } catch (error) {
          this.manner.note(`not ${what}: ${String(error)}`);
          answer(() => reject(error));
        }
      });
    });
  }

  read<T>(lane: string, look: () => T): Promise<T> {
    const failure = this.manner.fails(`read ${lane}`);
    this.#underWay += 1;
    return new Promise<T>((resolve, reject) => {
      this.timeline.after(this.manner.toApplyMs(), () => {
        const seen = look();
        this.#answer(() => (failure ? reject(new PortError(failure.code, 'simulated')) : resolve(seen)));
      });
    });
  }

  look(look: () => void): void {
    this.process.after(this.manner.toAnswerMs(), look);
  }

  idle(): Promise<void> {
    if (this.#underWay === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  /** Of what a crash meets under way, a beginning arrives. */
  #isLost(lane: string): boolean {
    if (!this.#lost.has(lane) && !this.manner.arrives()) this.#lost.add(lane);
    return this.#lost.has(lane);
  }

  #answer(say: () => void): void {
    this.process.after(this.manner.toAnswerMs(), () => {
      say();
      this.#underWay -= 1;
      if (this.#underWay > 0) return;
      for (const resolve of this.#whenIdle.splice(0)) resolve();
    });
  }
}
