import { type TransactWriteItem, TransactWriteItemsCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { PortError } from '../../ports/errors.js';
import type { CheckpointRow, ShardStore } from '../../ports/store.js';
import { INLINE_MAX_BYTES } from './bodies.js';
import { type Item, keyOf, n, writeId } from './calls.js';
import { shardLine } from './client-lines.js';
import { checkpointKey, checkpointList, claimKey } from './keys.js';
import { itemsAfter, ROWS_MAX } from './listing.js';
import { decodeRow, encodeRow } from './row-codec.js';
import { NOT_NEWER, refuseNewer, VERSION, VERSION_VALUE } from './row-version.js';
import type { Shared } from './shared.js';

/** DynamoDB's own limits are 100 items, one of them the claim, and 4 MB. */
const TRANSACTION_MAX_ROWS = 99;
const TRANSACTION_MAX_BYTES = 3_500_000;

export class ShardTable implements ShardStore {
  constructor(private readonly shared: Shared) {}

  /** A claim that is made twice because its answer was lost only skips an epoch. */
  async claim(shard: number, owner: string): Promise<number> {
    const { calls, client } = this.shared;
    const command = new UpdateItemCommand({
      TableName: calls.table,
      Key: keyOf(claimKey(shard)),
      UpdateExpression: 'ADD epoch :one SET #owner = :owner, v = :v',
      ConditionExpression: NOT_NEWER,
      ExpressionAttributeNames: { '#owner': 'owner' },
      ExpressionAttributeValues: { ':one': n(1), ':owner': { S: owner }, ...VERSION_VALUE },
      ReturnValues: 'UPDATED_NEW',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    try {
      return Number((await calls.send(() => client.send(command))).Attributes!.epoch!.N);
    } catch (error) {
      refuseNewer(((error as Error).cause as { Item?: Item } | undefined)?.Item);
      throw error;
    }
  }

  async checkpoints(shard: number): Promise<CheckpointRow[]> {
    const { calls } = this.shared;
    const rows: CheckpointRow[] = [];
    for (let after: string | null = null; ; ) {
      const items: Item[] = await itemsAfter(calls, [checkpointList(shard)], after, ROWS_MAX);
      rows.push(...items.map((item) => decodeRow<CheckpointRow>({ json: item.row!.S!, bytes: new Uint8Array() })));
      if (items.length < ROWS_MAX) return rows;
      after = items.at(-1)!.sk!.S!;
    }
  }

  /**
   * In the order of the calls: a checkpoint that went back would replay what is done. More than 99 partitions take several
   * transactions. A crash between them is harmless: each partition's row is on its own.
   */
  async saveCheckpoints(shard: number, epoch: number, rows: readonly CheckpointRow[]): Promise<void> {
    const newest = [...new Map(rows.map((row) => [row.partition, row])).values()];
    return this.shared.lines.enter(shardLine(shard), async () => {
      for (const puts of this.#transactions(shard, newest)) await this.#save(shard, epoch, puts);
    });
  }

  async #save(shard: number, epoch: number, puts: readonly TransactWriteItem[]): Promise<void> {
    const { calls, client, now } = this.shared;
    const isOwner: TransactWriteItem = {
      ConditionCheck: {
        TableName: calls.table,
        Key: keyOf(claimKey(shard)),
        // "`conflict` where the shard's epoch is no longer `epoch`"
        ConditionExpression: 'epoch = :epoch',
        ExpressionAttributeValues: { ':epoch': n(epoch) },
      },
    };
    const command = new TransactWriteItemsCommand({
      TransactItems: [isOwner, ...puts],
      ClientRequestToken: writeId(now()),
    });
    try {
      await calls.send(() => client.send(command));
    } catch (error) {
      if (!(error instanceof PortError) || error.code !== 'conflict') throw error;
      throw new PortError('conflict', `shard ${shard} is no longer at epoch ${epoch}`, { cause: error });
    }
  }

  /** One at least: that of no rows only looks who owns the shard. */
  #transactions(shard: number, rows: readonly CheckpointRow[]): TransactWriteItem[][] {
    let last: TransactWriteItem[] = [];
    const all = [last];
    let bytes = 0;
    for (const row of rows) {
      const { json } = encodeRow(row);
      const length = Buffer.byteLength(json);
      if (length > INLINE_MAX_BYTES) throw new PortError('too-large', `a checkpoint of ${length} bytes`);
      if (last.length >= TRANSACTION_MAX_ROWS || bytes + length > TRANSACTION_MAX_BYTES) {
        last = [];
        all.push(last);
        bytes = 0;
      }
      const key = keyOf(checkpointKey(shard, row.partition));
      const TableName = this.shared.calls.table;
      const guard = { ConditionExpression: NOT_NEWER, ExpressionAttributeValues: VERSION_VALUE };
      const isNone = row.low === null && row.done.length === 0;
      last.push(
        isNone
          ? { Delete: { TableName, Key: key, ...guard } }
          : { Put: { TableName, Item: { ...key, ...VERSION, row: { S: json } }, ...guard } },
      );
      bytes += length;
    }
    return all;
  }
}
