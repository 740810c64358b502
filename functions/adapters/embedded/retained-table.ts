import type { RetainedRow, RetainedStore } from '../../ports/store.js';
import { filterMatches } from '../../topics/filter-match.js';
import type { Environment, Table } from './environment.js';
import { keysUnder, numberKey, retainedKey, TOPIC_MAX_BYTES, tombstoneKey } from './keys.js';
import { REMOVAL } from './room.js';
import { ROWS_MAX, rowsWithin } from './rows.js';
import { saving } from './saving.js';

/** How long a cleared topic is remembered, against late older writes. Longer than any append can be in doubt. */
export const TOMBSTONE_KEPT_MS = 3_600_000;
/** Old tombstones looked at per write: two, so that they go faster than they come. */
const TOMBSTONES_PER_WRITE = 2;

interface StoredRetained {
  row: RetainedRow;
  writtenAtMs: number;
}

export class RetainedTable implements RetainedStore {
  private readonly rows: Table<StoredRetained>;
  /** Old tombstones by time; the value is the LMDB version of the row that was cleared. */
  private readonly tombstones: Table<number>;
  /** Newest row on its way to disk, by topic. This process alone writes, so it and the stored row are all there is. */
  private readonly inFlight = new Map<string, { row: RetainedRow; written: Promise<boolean> }>();

  constructor(
    private readonly env: Environment,
    private readonly now: () => number,
  ) {
    this.rows = env.table<StoredRetained>('retained', 'msgpack');
    this.tombstones = env.table<number>('tombstones', 'msgpack');
  }

  async put(row: RetainedRow): Promise<boolean> {
    const key = retainedKey(row.topic);
    const ahead = this.inFlight.get(row.topic);
    if (ahead && !isNewer(row, ahead.row)) {
      await ahead.written;
      return false;
    }
    const there = this.env.read(() => this.rows.get(key));
    if (there && !isNewer(row, there.row)) return false;
    const mine = { row, written: this.write(key, row) };
    this.inFlight.set(row.topic, mine);
    try {
      return await mine.written;
    } finally {
      if (this.inFlight.get(row.topic) === mine) this.inFlight.delete(row.topic);
    }
  }

  async match(
    filter: string,
    after: string | null,
    limit: number,
  ): Promise<{ rows: RetainedRow[]; next: string | null }> {
    const range = keysUnder(Buffer.from(literalPrefix(filter)).subarray(0, TOPIC_MAX_BYTES));
    const start = after === null ? null : retainedKey(after);
    const stored = this.env.read(() => rowsWithin(this.rows, range, start, ROWS_MAX));
    const rows: RetainedRow[] = [];
    let last: string | null = null;
    for (const { value } of stored) {
      if (rows.length >= limit) return { rows, next: last };
      last = value.row.topic;
      if (value.row.publication !== null && filterMatches(filter, last)) rows.push(value.row);
    }
    return { rows, next: stored.length < ROWS_MAX ? null : last };
  }

  private async write(key: Buffer, row: RetainedRow): Promise<boolean> {
    const writtenAtMs = this.now();
    const version = this.env.nextVersion();
    const writes = [this.env.write(saving(row), () => this.rows.put(key, { row, writtenAtMs }, version))];
    if (row.publication === null) {
      writes.push(this.env.write(saving(version), () => this.tombstones.put(tombstoneKey(writtenAtMs, key), version)));
    }
    for (const old of this.oldTombstones(writtenAtMs)) {
      // Conditional on the version: a topic that was set or cleared again since keeps its row.
      writes.push(this.env.write(REMOVAL, () => this.rows.remove(old.retained, old.version)));
      writes.push(this.env.write(REMOVAL, () => this.tombstones.remove(old.key)));
    }
    await Promise.all(writes);
    return true;
  }

  private oldTombstones(nowMs: number): { key: Buffer; retained: Buffer; version: number }[] {
    const end = numberKey(Math.max(0, nowMs - TOMBSTONE_KEPT_MS));
    const range = { start: numberKey(0), end };
    const found = this.env.read(() => rowsWithin(this.tombstones, range, null, TOMBSTONES_PER_WRITE));
    return found.map(({ key, value }) => ({ key, retained: key.subarray(end.length), version: value }));
  }
}

function isNewer(row: RetainedRow, than: RetainedRow): boolean {
  return row.layout !== than.layout ? row.layout > than.layout : row.position > than.position;
}

/** What every matching topic begins with; 'a/b/#' also matches 'a/b' [MQTT-4.7.1-2], so without the last separator. */
function literalPrefix(filter: string): string {
  const wildcard = filter.search(/[+#]/);
  if (wildcard === -1) return filter;
  return filter[wildcard] === '#' ? filter.slice(0, Math.max(0, wildcard - 1)) : filter.slice(0, wildcard);
}
