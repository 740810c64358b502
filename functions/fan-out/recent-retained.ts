import type { Position } from '../ports/log.js';
import type { RetainedRow } from '../ports/store.js';
import { filterMatches } from '../topics/filter-match.js';
import { isAboutFullNames } from '../topics/spellings.js';

/**
 * Retained publications seen in the log so lately that their row may not be written yet. At SUBSCRIBE the newer of the
 * row and of what is here wins, so that a message falls between neither.
 */
export class RecentRetained {
  /** What the server says of itself; in no log and no store. */
  readonly #own = new Map<string, RetainedRow>();
  readonly #byTopic = new Map<string, { row: RetainedRow; isSecondName: boolean; seenAtMs: number }>();

  /** One row for each name of a topic: the second is for filters about full names alone. */
  see(rows: readonly RetainedRow[], now: number): void {
    for (const [index, row] of rows.entries()) {
      // Deleted first so that the map stays in order of being seen.
      this.#byTopic.delete(row.topic);
      this.#byTopic.set(row.topic, { row, isSecondName: index > 0, seenAtMs: now });
    }
  }

  seeOwn(row: RetainedRow): void {
    this.#own.set(row.topic, row);
  }

  /** Forgets what was seen before `beforeMs`: its row is written, or its append was never answered. */
  forget(beforeMs: number): void {
    for (const [topic, { seenAtMs }] of this.#byTopic) {
      if (seenAtMs >= beforeMs) return;
      this.#byTopic.delete(topic);
    }
  }

  /** A page of rows as the store gave it, for topics above `after` and up to `next`, brought up to date. */
  overlay(rows: readonly RetainedRow[], filter: string, after: string | null, next: string | null): RetainedRow[] {
    const own = next === null ? [...this.#own.values()].filter((row) => filterMatches(filter, row.topic)) : [];
    if (this.#byTopic.size === 0) return [...rows, ...own];
    const merged = new Map(rows.map((row) => [row.topic, row]));
    const hidesSecondNames = !isAboutFullNames(filter);
    for (const { row, isSecondName } of this.#byTopic.values()) {
      if (isSecondName && hidesSecondNames) continue;
      const isInPage = (after === null || row.topic > after) && (next === null || row.topic <= next);
      if (!isInPage || !filterMatches(filter, row.topic)) continue;
      const stored = merged.get(row.topic);
      if (stored === undefined || isNewer(row, stored)) merged.set(row.topic, row);
    }
    return [...merged.values(), ...own].filter((row) => row.publication !== null);
  }
}

function isNewer(row: RetainedRow, than: RetainedRow): boolean {
  const [layout, position]: [number, Position] = [than.layout, than.position];
  return row.layout > layout || (row.layout === layout && row.position > position);
}
