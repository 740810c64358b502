import { PortError } from '../../ports/errors.js';
import type { PresenceRow, PresenceStore } from '../../ports/store.js';
import { n } from './calls.js';
import { presenceLine } from './client-lines.js';
import { clientKey, presenceKey, presenceLists } from './keys.js';
import { rowsAfter } from './listing.js';
import type { Shared } from './shared.js';

/** Versions of one millisecond: they come from the clock, in thousandths of it, as safe integers until the year 2255. */
const VERSIONS_PER_MS = 1_000;

export class PresenceTable implements PresenceStore {
  constructor(private readonly shared: Shared) {}

  async get(clientId: string): Promise<{ row: PresenceRow; version: number } | undefined> {
    const { calls, bodies, shards } = this.shared;
    const item = await calls.get(presenceKey(clientId, shards));
    const read = item && (await bodies.read<PresenceRow>(item));
    return read && { row: read.row, version: Number(read.item.version!.N) };
  }

  /**
   * A version never comes again, so that of a deleted row cannot be mistaken for that of its successor. Should two processes draw
   * the same one, `id` still tells who wrote.
   */
  put(row: PresenceRow, expected: number): Promise<number> {
    const { calls, bodies, lines, shards, now } = this.shared;
    return lines.enter(presenceLine(row.clientId), async () => {
      const version = Math.max(expected + 1, now() * VERSIONS_PER_MS + Math.floor(Math.random() * VERSIONS_PER_MS));
      const place = presenceKey(row.clientId, shards);
      const { item } = await bodies.item(place, row, { version: n(version) });
      // "where the stored version is `expected` (0: where there is no row)"
      const answer = await calls.put(
        item,
        expected === 0 ? { expression: 'attribute_not_exists(pk)' } : isAt(expected),
      );
      await bodies.tidy(place, answer.held ? item : undefined, answer.held ? answer.old : item);
      if (!answer.held) throw conflict(expected);
      return version;
    });
  }

  delete(clientId: string, expected: number): Promise<void> {
    const { calls, bodies, lines, shards } = this.shared;
    return lines.enter(presenceLine(clientId), async () => {
      const place = presenceKey(clientId, shards);
      // "where the version is `expected`"
      const answer = await calls.delete(place, isAt(expected));
      if (!answer.held) throw conflict(expected);
      await bodies.tidy(place, undefined, answer.old);
    });
  }

  async list(shard: number, after: string | null, limit: number): Promise<{ row: PresenceRow; version: number }[]> {
    const { calls, bodies } = this.shared;
    const start = after === null ? null : clientKey(after);
    const rows = await rowsAfter<PresenceRow>(calls, bodies, presenceLists(shard), start, limit);
    return rows.map(({ row, item }) => ({ row, version: Number(item.version!.N) }));
  }
}

function isAt(version: number): { expression: string; values: { ':expected': { N: string } } } {
  return { expression: 'version = :expected', values: { ':expected': { N: String(version) } } };
}

function conflict(expected: number): PortError {
  return new PortError('conflict', `the presence row is not at version ${expected}`);
}
