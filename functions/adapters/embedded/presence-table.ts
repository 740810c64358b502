import { PortError } from '../../ports/errors.js';
import type { PresenceRow, PresenceStore } from '../../ports/store.js';
import { shardOf } from '../../topics/shard.js';
import type { Environment, Table } from './environment.js';
import { clientKey } from './keys.js';
import { REMOVAL } from './room.js';
import { rowsAfter } from './rows.js';
import { saving } from './saving.js';

export class PresenceTable implements PresenceStore {
  private readonly rows: Table<PresenceRow>;

  constructor(
    private readonly env: Environment,
    private readonly shards: number,
  ) {
    this.rows = env.table<PresenceRow>('presence', 'msgpack');
  }

  async get(clientId: string): Promise<{ row: PresenceRow; version: number } | undefined> {
    const entry = this.env.read(() => this.rows.getEntry(clientKey(clientId)));
    return entry && { row: entry.value, version: entry.version! };
  }

  /** A version is never given twice, so that of a deleted row cannot be mistaken for that of its successor. */
  async put(row: PresenceRow, expected: number): Promise<number> {
    const version = this.env.nextVersion();
    const key = clientKey(row.clientId);
    const held = await this.env.write(saving(row), () =>
      expected === 0
        ? this.rows.ifNoExists(key, () => this.rows.put(key, row, version))
        : this.rows.put(key, row, version, expected),
    );
    if (!held) throw conflict(expected);
    return version;
  }

  async delete(clientId: string, expected: number): Promise<void> {
    if (!(await this.env.write(REMOVAL, () => this.rows.remove(clientKey(clientId), expected))))
      throw conflict(expected);
  }

  async list(shard: number, after: string | null, limit: number): Promise<{ row: PresenceRow; version: number }[]> {
    const start = after === null ? null : clientKey(after);
    const ours = (row: PresenceRow): boolean => shardOf(row.clientId, this.shards) === shard;
    return this.env
      .read(() => rowsAfter(this.rows, start, limit, ours))
      .map(({ value, version }) => ({ row: value, version: version! }));
  }
}

function conflict(expected: number): PortError {
  return new PortError('conflict', `the presence row is not at version ${expected}`);
}
