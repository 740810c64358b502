import { PortError, type PortErrorCode } from '../../functions/ports/errors.js';
import type { Timeline } from './timeline.js';

/** How the disk behaves; milliseconds. */
export interface DiskManner {
  /** From the call until the write can be seen. */
  toApplyMs(): number;
  /** From then until a crash does not undo it. */
  toFlushMs(): number;
  /** From then until the caller hears of it; for a read, from the look until the answer. */
  toAnswerMs(): number;
  /** An error to answer with instead; `applied`: the write is made all the same, and the caller cannot know. */
  fails(lane: string): { code: PortErrorCode; applied: boolean } | null;
  /** Of so many writes that a crash meets under way, in order, how many are kept. */
  keptByCrash(count: number): number;
  /** For the trace. */
  note(line: string): void;
}

/** What a write does to the data when its turn comes. It may throw a `PortError`, and has then changed nothing. */
export interface Change<T> {
  value: T;
  /** Puts back what was there. */
  undo?: () => void;
  /** Called when a crash can undo it no more. */
  flushed?: () => void;
}

/** Where log and store keep what they have. */
export interface Storage {
  write<T>(lane: string, what: string, make: () => Change<T>): Promise<T>;
  read<T>(lane: string, look: () => T): Promise<T>;
  look(look: () => void): void;
  idle(): Promise<void>;
}

interface Write {
  readonly what: string;
  readonly lane: string;
  readonly make: () => Change<unknown>;
  state: 'queued' | 'applied' | 'flushed';
  /** Order of being applied, over all lanes. */
  applied: number;
  change: Change<unknown> | null;
}

/**
 * Writes finish late and in any order, save that those of one lane take effect, and become durable, in the order of the calls:
 * what the ports promise, and no more. A crash keeps a beginning of each lane's writes, whatever was heard of them.
 */
export class Disk implements Storage {
  readonly #timeline: Timeline;
  readonly #manner: DiskManner;
  /** Writes that are not flushed, in order. */
  readonly #lanes = new Map<string, Write[]>();
  /** When the last event of a lane is due, so that the next comes after it. */
  readonly #lastDueMs = new Map<string, number>();
  #opening = 0;
  #appliedCount = 0;
  #underWay = 0;
  #whenIdle: (() => void)[] = [];

  constructor(timeline: Timeline, manner: DiskManner) {
    this.#timeline = timeline;
    this.#manner = manner;
  }

  write<T>(lane: string, what: string, make: () => Change<T>): Promise<T> {
    const write: Write = { what, lane, make, state: 'queued', applied: 0, change: null };
    const lanes = this.#lanes.get(lane) ?? [];
    this.#lanes.set(lane, lanes);
    lanes.push(write);
    const failure = this.#manner.fails(lane);
    return new Promise<T>((resolve, reject) => {
      const answer = (say: () => void) => this.#later(this.#manner.toAnswerMs(), say);
      this.#inTurn(lane, this.#manner.toApplyMs(), () => {
        if (failure !== null && !failure.applied) return refuse(new PortError(failure.code, 'simulated'));
        try {
          write.change = make();
        } catch (error) {
          return refuse(error);
        }
        this.#manner.note(`disk ${what}`);
        write.state = 'applied';
        write.applied = ++this.#appliedCount;
        this.#inTurn(`flush ${lane}`, this.#manner.toFlushMs(), () => {
          this.#forget(write);
          write.state = 'flushed';
          this.#manner.note(`flushed ${what}`);
          write.change?.flushed?.();
          const value = write.change?.value as T;
          answer(() => (failure ? reject(new PortError(failure.code, 'simulated')) : resolve(value)));
        });
      });
      const refuse = (error: unknown) => {
        this.#forget(write);
        this.#manner.note(`not ${what}: ${String(error)}`);
        answer(() => reject(error));
      };
    });
  }

  /** Sees what is applied, flushed or not; the answer may be old when it comes. */
  read<T>(lane: string, look: () => T): Promise<T> {
    const failure = this.#manner.fails(`read ${lane}`);
    return new Promise((resolve, reject) => {
      this.#later(this.#manner.toApplyMs(), () => {
        const seen = look();
        const answer = () => (failure ? reject(new PortError(failure.code, 'simulated')) : resolve(seen));
        this.#later(this.#manner.toAnswerMs(), answer);
      });
    });
  }

  /** Calls `look` a moment from now, and never where a crash comes first. */
  look(look: () => void): void {
    this.#later(this.#manner.toAnswerMs(), look);
  }

  /** Resolves when nothing is under way. */
  idle(): Promise<void> {
    if (this.#underWay === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  /** The process is gone: nobody hears of anything any more, and what was under way is there or not. */
  crash(): void {
    this.#opening += 1;
    this.#underWay = 0;
    this.#whenIdle = [];
    const lost: Write[] = [];
    const kept: Write[] = [];
    for (const writes of this.#lanes.values()) {
      const cut = this.#manner.keptByCrash(writes.length);
      kept.push(...writes.slice(0, cut));
      lost.push(...writes.slice(cut));
    }
    this.#lanes.clear();
    this.#lastDueMs.clear();
    const undone = lost.filter((write) => write.state === 'applied').sort((a, b) => b.applied - a.applied);
    for (const { change, what } of undone) {
      this.#manner.note(`undone ${what}`);
      change?.undo?.();
    }
    for (const write of kept.filter(({ state }) => state === 'queued')) {
      try {
        write.change = write.make();
      } catch {
        // Its condition did not hold.
      }
    }
    for (const { change, what } of kept) {
      this.#manner.note(`kept ${what}`);
      change?.flushed?.();
    }
  }

  #forget(write: Write): void {
    const lane = this.#lanes.get(write.lane) ?? [];
    lane.splice(lane.indexOf(write), 1);
    if (lane.length === 0) this.#lanes.delete(write.lane);
  }

  #inTurn(lane: string, ms: number, run: () => void): void {
    const dueMs = Math.max(this.#timeline.exactMs + ms, this.#lastDueMs.get(lane) ?? 0);
    this.#lastDueMs.set(lane, dueMs);
    this.#later(dueMs - this.#timeline.exactMs, run);
  }

  #later(ms: number, run: () => void): void {
    const opening = this.#opening;
    this.#underWay += 1;
    this.#timeline.after(ms, () => {
      if (opening !== this.#opening) return;
      run();
      this.#underWay -= 1;
      if (this.#underWay > 0) return;
      for (const resolve of this.#whenIdle.splice(0)) resolve();
    });
  }
}
