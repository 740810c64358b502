import type { PortError } from '../../ports/errors.js';
import type { LogEntry } from '../../ports/log.js';

interface Waiting {
  limit: number;
  resolve: (entries: readonly LogEntry[]) => void;
  reject: (error: PortError) => void;
}

/** What a source was sent, until it is asked for. One `next` at a time. */
export class Arrivals {
  readonly #onTaken: (count: number) => void;
  #entries: LogEntry[] = [];
  #waiting: Waiting | undefined;
  #problem: PortError | undefined;
  #bytes = 0;

  /** `onTaken` is told how many were handed out. */
  constructor(onTaken: (count: number) => void) {
    this.#onTaken = onTaken;
  }

  get count(): number {
    return this.#entries.length;
  }

  /** Of payloads. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What comes in one turn of the event loop is handed out together. */
  add(entry: LogEntry): void {
    this.#entries.push(entry);
    this.#bytes += entry.record.payload.length;
    if (this.#waiting !== undefined && this.#entries.length === 1) setImmediate(() => this.#serve());
  }

  /** Resolves with one or more; once what has arrived is handed out, rejects with what `end` was told. */
  next(limit: number): Promise<readonly LogEntry[]> {
    return new Promise((resolve, reject) => {
      if (this.#entries.length > 0) resolve(this.#take(limit));
      else if (this.#problem !== undefined) reject(this.#problem);
      else this.#waiting = { limit, resolve, reject };
    });
  }

  /** Nothing more will come. */
  end(problem: PortError): void {
    this.#problem ??= problem;
    if (this.#entries.length > 0) return;
    this.#waiting?.reject(problem);
    this.#waiting = undefined;
  }

  #serve(): void {
    if (this.#waiting === undefined || this.#entries.length === 0) return;
    const { limit, resolve } = this.#waiting;
    this.#waiting = undefined;
    resolve(this.#take(limit));
  }

  #take(limit: number): readonly LogEntry[] {
    const isAll = this.#entries.length <= limit;
    const taken = isAll ? this.#entries : this.#entries.splice(0, limit);
    if (isAll) this.#entries = [];
    for (const { record } of taken) this.#bytes -= record.payload.length;
    this.#onTaken(taken.length);
    return taken;
  }
}
