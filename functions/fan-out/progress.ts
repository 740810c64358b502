import type { Position } from '../ports/log.js';
import type { CheckpointRow } from '../ports/store.js';

/** Positions above `low` that a checkpoint names at most; a crash with more makes replay hand out some again. */
const DONE_MAX = 1_000;

interface Open {
  position: Position;
  /** Sessions that still need it. */
  needs: number;
}

/**
 * How far a shard is done with one partition: each publication is open until every session that must not lose it has it
 * answered or saved. The log is the write-ahead log of fan-out, so this is all that has to be written down, now and then.
 */
export class Progress {
  readonly partition: string;
  /** Handed out up to here. */
  handedOut: Position | null;
  /** In order; done ones stay until all before them are done. */
  readonly #open: Open[] = [];
  readonly #byPosition = new Map<Position, Open>();
  #first = 0;
  #low: Position | null;
  #replayDone: ReadonlySet<Position>;
  #changed = false;

  constructor(checkpoint: CheckpointRow) {
    this.partition = checkpoint.partition;
    this.#low = checkpoint.low;
    this.handedOut = checkpoint.low;
    this.#replayDone = new Set(checkpoint.done);
  }

  /** Of a partition that was not read: what is done is what was there. */
  static after(partition: string, position: Position | null): Progress {
    const progress = new Progress({ partition, low: position, done: [] });
    progress.#changed = position !== null;
    return progress;
  }

  /** Nobody still needs anything of it. */
  get isIdle(): boolean {
    return this.#byPosition.size === 0;
  }

  get low(): Position | null {
    return this.#low;
  }

  /** Whether an owner before this one was done with it. */
  isDone(position: Position): boolean {
    return this.#replayDone.size > 0 && this.#replayDone.has(position);
  }

  /** Whether all up to `position` is done. */
  hasPassed(position: Position): boolean {
    return this.#low !== null && position <= this.#low;
  }

  /** A publication was handed to `needs` sessions that must not lose it. */
  handOut(position: Position, needs: number): void {
    this.handedOut = position;
    this.#changed = true;
    if (needs === 0 && this.#first === this.#open.length) {
      this.#low = position;
      return;
    }
    const open: Open = { position, needs };
    this.#open.push(open);
    if (needs > 0) this.#byPosition.set(position, open);
  }

  /** One of those sessions is done with it. */
  settle(position: Position): void {
    const open = this.#byPosition.get(position);
    if (open === undefined) return;
    open.needs -= 1;
    if (open.needs > 0) return;
    this.#byPosition.delete(position);
    this.#changed = true;
    this.#advance();
  }

  /** The checkpoint to write, if it moved since it was last asked for. */
  take(): CheckpointRow | null {
    if (!this.#changed) return null;
    this.#changed = false;
    const done: Position[] = [];
    for (let i = this.#first; i < this.#open.length && done.length < DONE_MAX; i += 1) {
      const open = this.#open[i] as Open;
      if (open.needs === 0) done.push(open.position);
    }
    return { partition: this.partition, low: this.#low, done };
  }

  #advance(): void {
    let head = this.#open[this.#first];
    while (head !== undefined && head.needs === 0) {
      this.#low = head.position;
      this.#first += 1;
      head = this.#open[this.#first];
    }
    // Drop what is passed now and then, so that each step stays cheap.
    if (this.#first > 1024 && this.#first * 2 > this.#open.length) {
      this.#open.splice(0, this.#first);
      this.#first = 0;
    }
  }
}
