import type { Log, Receipt, Sought } from '../ports/log.js';

interface Search extends Sought {
  sinceMs: number;
  isOwn: boolean;
  resolve: (found: Receipt | undefined) => void;
  reject: (error: unknown) => void;
}

/** Values looked for in one reading of the log. */
const SEARCHES_MAX = 1_000;

/**
 * Looks for appends in doubt. A client that resumes with thousands of them must not make the log be read once for each: what
 * is asked while a search is under way is looked for together by the next.
 */
export class AppendSearch {
  readonly #log: Log;
  readonly #property: string;
  /** By log topic; there while a search is under way. */
  readonly #waiting = new Map<string, Search[]>();

  constructor(log: Log, property: string) {
    this.#log = log;
    this.#property = property;
  }

  /** The receipt of a record with that value of the property, from `sinceMs` on, if there is one. Rejects as `Log.find` does. */
  find(topic: string, sought: Pick<Search, keyof Sought | 'sinceMs' | 'isOwn'>): Promise<Receipt | undefined> {
    return new Promise((resolve, reject) => {
      const search = { ...sought, resolve, reject };
      const waiting = this.#waiting.get(topic);
      if (waiting !== undefined) {
        waiting.push(search);
        return;
      }
      this.#waiting.set(topic, [search]);
      // What the same turn asks for goes along.
      queueMicrotask(() => void this.#run(topic));
    });
  }

  async #run(topic: string): Promise<void> {
    for (;;) {
      const searches = this.#waiting.get(topic)?.splice(0, SEARCHES_MAX) ?? [];
      if (searches.length === 0) break;
      const sinceMs = Math.min(...searches.map((search) => search.sinceMs));
      try {
        const isOwn = searches.every((search) => search.isOwn);
        const found = await this.#log.find(topic, this.#property, searches, { sinceMs, isOwn });
        for (const { value, resolve } of searches) resolve(found.get(value));
      } catch (error) {
        for (const { reject } of searches) reject(error);
      }
    }
    this.#waiting.delete(topic);
  }
}
