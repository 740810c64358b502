import { PortError } from '../../ports/errors.js';
import { emptySession, type SessionRow, type SessionStore } from '../../ports/store.js';
import { shardOf } from '../../topics/shard.js';
import type { Environment, Table } from './environment.js';
import { clientKey } from './keys.js';
import { REMOVAL } from './room.js';
import { rowsAfter } from './rows.js';
import { saving } from './saving.js';

/** A row's LMDB version is its epoch. */
export class SessionTable implements SessionStore {
  private readonly rows: Table<SessionRow>;
  /** Handed to LMDB and not committed yet: a read does not see them. */
  private readonly writing: SessionRow[] = [];

  constructor(
    private readonly env: Environment,
    private readonly shards: number,
  ) {
    this.rows = env.table<SessionRow>('sessions', 'msgpack');
  }

  async put(row: SessionRow): Promise<void> {
    this.writing.push(row);
    try {
      await this.write(row);
    } finally {
      this.writing.splice(this.writing.indexOf(row), 1);
    }
  }

  private async write(row: SessionRow): Promise<void> {
    const key = clientKey(row.clientId);
    const { epoch } = row;
    const held = await this.env.write(saving([row, row]), () => {
      // LMDB's "version at most" does not hold where there is no row, so make one first. Both are in one commit,
      // and only the second tells: after the first there is a row, and if it is this one, its epoch is not higher.
      this.rows.ifNoExists(key, () => this.rows.put(key, row, epoch)).catch(ignore);
      return ifEpochAtMost(this.rows, key, epoch, () => this.rows.put(key, row, epoch));
    });
    if (!held) throw conflict(epoch);
  }

  async delete(clientId: string, generation: number, epoch: number): Promise<void> {
    const key = clientKey(clientId);
    const isNewer = (row: SessionRow | undefined): boolean => row?.clientId === clientId && row.generation > generation;
    if (this.writing.some(isNewer) || isNewer(this.env.read(() => this.rows.get(key)))) return;
    const held = await this.env.write(REMOVAL, () => ifEpochAtMost(this.rows, key, epoch, () => this.rows.remove(key)));
    if (!held && this.env.read(() => this.rows.get(key)) !== undefined) throw conflict(epoch);
  }

  async take(clientId: string, generation: number, epoch: number): Promise<SessionRow> {
    const there = this.env.read(() => this.rows.get(clientKey(clientId)));
    const row = { ...(there ?? emptySession(clientId, generation, epoch)), epoch };
    await this.put(row);
    return row;
  }

  async list(shard: number, after: string | null, limit: number): Promise<SessionRow[]> {
    const start = after === null ? null : clientKey(after);
    const ours = (row: SessionRow): boolean => shardOf(row.clientId, this.shards) === shard;
    return this.env.read(() => rowsAfter(this.rows, start, limit, ours)).map(({ value }) => value);
  }
}

/** lmdb's types leave out the options of `ifVersion`. */
type IfVersion = (key: Buffer, version: number, run: () => unknown, options: { ifLessThan: true }) => Promise<boolean>;

/** Despite its name `ifLessThan` holds for an equal version too (`src/writer.cpp`), which is what is needed. */
function ifEpochAtMost(rows: Table<SessionRow>, key: Buffer, epoch: number, run: () => unknown): Promise<boolean> {
  return (rows.ifVersion as unknown as IfVersion).call(rows, key, epoch, run, { ifLessThan: true });
}

function conflict(epoch: number): PortError {
  return new PortError('conflict', `the session row has a higher epoch than ${epoch}`);
}

function ignore(): void {}
