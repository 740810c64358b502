import { setImmediate as nextTurn } from 'node:timers';

interface Event {
  dueMs: number;
  /** Of making; decides between events that are due at once. */
  number: number;
  run: (() => void) | null;
}

/** Virtual time: what is to happen and when. One event runs at a time, and all promises it settles are followed before the next. */
export class Timeline {
  /** Events that have run. */
  steps = 0;
  #nowMs: number;
  #made = 0;
  /** A binary heap: the earliest first. */
  readonly #events: Event[] = [];

  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  /** Whole milliseconds since the epoch. */
  get nowMs(): number {
    return Math.floor(this.#nowMs);
  }

  /** With fractions, in which what takes less than a millisecond is told apart. */
  get exactMs(): number {
    return this.#nowMs;
  }

  /** Runs something `ms` milliseconds from now; the returned function cancels it. */
  after(ms: number, run: () => void): () => void {
    return this.at(this.#nowMs + ms, run);
  }

  at(dueMs: number, run: () => void): () => void {
    const event: Event = { dueMs: Math.max(dueMs, this.#nowMs), number: this.#made++, run };
    this.#push(event);
    return () => {
      event.run = null;
    };
  }

  /** Runs events until `isOver`, or until none is left. */
  async run(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      const event = this.#pop();
      if (event === undefined) return;
      if (event.run === null) continue;
      this.#nowMs = event.dueMs;
      this.steps += 1;
      event.run();
      await new Promise<void>((resolve) => nextTurn(resolve));
    }
  }

  #push(event: Event): void {
    const heap = this.#events;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (isBefore(heap[parent]!, event)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): Event | undefined {
    const heap = this.#events;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (child >= heap.length || isBefore(last, heap[child]!)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.number < b.number);
}
