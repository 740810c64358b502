import { PortError } from '../../ports/errors.js';
import type { CheckpointRow, ShardStore } from '../../ports/store.js';
import type { Environment, Table } from './environment.js';
import { checkpointKey, keysUnder, shardKey } from './keys.js';
import { saving } from './saving.js';

/** A shard row's LMDB version is its epoch. */
export class ShardTable implements ShardStore {
  private readonly shards: Table<{ owner: string }>;
  private readonly rows: Table<CheckpointRow>;

  constructor(private readonly env: Environment) {
    this.shards = env.table<{ owner: string }>('shards', 'msgpack');
    this.rows = env.table<CheckpointRow>('checkpoints', 'msgpack');
  }

  async claim(shard: number, owner: string): Promise<number> {
    const key = shardKey(shard);
    for (;;) {
      const epoch = this.env.read(() => this.shards.getEntry(key))?.version ?? 0;
      const next = epoch + 1;
      const held = await this.env.write(saving(owner), () =>
        epoch === 0
          ? this.shards.ifNoExists(key, () => this.shards.put(key, { owner }, next))
          : this.shards.put(key, { owner }, next, epoch),
      );
      if (held) return next;
    }
  }

  async checkpoints(shard: number): Promise<CheckpointRow[]> {
    const range = keysUnder(shardKey(shard));
    return this.env.read(() => [...this.rows.getRange(range)]).map(({ value }) => value);
  }

  async saveCheckpoints(shard: number, epoch: number, rows: readonly CheckpointRow[]): Promise<void> {
    const keyed = rows.map((row) => ({ row, key: checkpointKey(shard, row.partition) }));
    const held = await this.env.write(saving(rows), () =>
      this.shards.ifVersion(shardKey(shard), epoch, () => {
        for (const { key, row } of keyed) {
          if (row.low === null && row.done.length === 0) this.rows.remove(key);
          else this.rows.put(key, row, 0);
        }
      }),
    );
    if (!held) throw new PortError('conflict', `shard ${shard} is no longer at epoch ${epoch}`);
  }
}
