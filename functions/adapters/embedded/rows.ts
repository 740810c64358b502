import type { Table } from './environment.js';
import type { KeyRange } from './keys.js';

/** Rows that one call returns at most, whatever limit it is given. */
export const ROWS_MAX = 1_000;

export interface StoredRow<V> {
  key: Buffer;
  value: V;
  version?: number;
}

/** Up to `limit` rows of a table after a key, in order of key, that `wanted` takes. A short answer means that there are no more. */
export function rowsAfter<V>(
  table: Table<V>,
  after: Buffer | null,
  limit: number,
  wanted: (value: V) => boolean,
): StoredRow<V>[] {
  const rows: StoredRow<V>[] = [];
  if (limit <= 0) return rows;
  const options = after === null ? {} : { start: after, exclusiveStart: true };
  for (const row of table.getRange({ ...options, versions: true })) {
    if (!wanted(row.value)) continue;
    rows.push(row);
    if (rows.length === limit) break;
  }
  return rows;
}

/** Up to `limit` rows in a range, those after a key where one is given. */
export function rowsWithin<V>(table: Table<V>, range: KeyRange, after: Buffer | null, limit: number): StoredRow<V>[] {
  const begins = after !== null && Buffer.compare(after, range.start) >= 0;
  const start = begins ? { start: after, exclusiveStart: true } : { start: range.start };
  return [...table.getRange({ ...start, end: range.end, limit: Math.min(limit, ROWS_MAX), versions: true })];
}
