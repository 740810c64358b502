import { PATIENCE } from './patience.js';

/** How long a test waits for what must come. Generous: it is reached only by a failure, and the machine may be busy. */
const DEADLINE_MS = 5_000;

/** Whatever runs a function at the end, failed or not: a test's context, or `{ after }` of node:test for a whole file. */
export interface Scope {
  after(end: () => Promise<void>): void;
}

/** The outcome of `promise`, or a failure that names what did not come. The deadline is as for the embedded parts. */
export async function within<T>(what: string, promise: Promise<T>, deadlineMs = DEADLINE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const patientMs = deadlineMs * PATIENCE;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${patientMs} ms: ${what}`)), patientMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Looks again and again; for what tells nobody that it has come to be. Goes `within` a deadline. */
export async function eventually(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resume) => setTimeout(resume, 20));
}

/** What arrives over time, in order. A test takes it one by one, or waits until what arrived is as it should be. */
export class Inbox<T> {
  readonly all: T[] = [];
  readonly #waiting = new Set<() => void>();
  #taken = 0;

  add(item: T): void {
    this.all.push(item);
    for (const look of [...this.#waiting]) look();
  }

  /** The first one that was not taken yet. */
  async take(what: string, deadlineMs?: number): Promise<T> {
    const place = this.#taken;
    this.#taken += 1;
    await this.until(what, (all) => all.length > place, deadlineMs);
    return this.all[place] as T;
  }

  /** The first one ever that fulfils the condition. */
  async find(what: string, isIt: (item: T) => boolean, deadlineMs?: number): Promise<T> {
    await this.until(what, (all) => all.some(isIt), deadlineMs);
    return this.all.find(isIt) as T;
  }

  /** Resolves when nothing has arrived for so long. */
  async quiet(ms: number): Promise<void> {
    for (let seen = -1; seen < this.all.length; ) {
      seen = this.all.length;
      await new Promise((resume) => setTimeout(resume, ms));
    }
  }

  async until(what: string, isThere: (all: readonly T[]) => boolean, deadlineMs = DEADLINE_MS): Promise<readonly T[]> {
    if (isThere(this.all)) return this.all;
    let look = () => {};
    const there = new Promise<void>((resolve) => {
      look = () => {
        if (isThere(this.all)) resolve();
      };
      this.#waiting.add(look);
    });
    try {
      await within(`${what}, after ${this.all.length} arrived`, there, deadlineMs);
    } finally {
      this.#waiting.delete(look);
    }
    return this.all;
  }
}

let names = 0;

/** A name that no other test of this process uses: topics and clients of different tests do not meet. */
export function unique(what: string): string {
  names += 1;
  return `${what}-${names}`;
}
