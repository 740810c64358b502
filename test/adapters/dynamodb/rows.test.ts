import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import {
  CreateTableCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  paginateScan,
} from '@aws-sdk/client-dynamodb';
import { PART_DOUBT_MS } from '../../../functions/adapters/dynamodb/bodies.js';
import type { Item } from '../../../functions/adapters/dynamodb/calls.js';
import { createTables } from '../../../functions/adapters/dynamodb/create-tables.js';
import {
  presenceKey,
  presenceLists,
  TABLE,
  TTL_ATTRIBUTE,
  tableName,
} from '../../../functions/adapters/dynamodb/keys.js';
import { dynamoClient, openDynamoStore } from '../../../functions/adapters/dynamodb/open.js';
import { TOMBSTONE_KEPT_S } from '../../../functions/adapters/dynamodb/retained-table.js';
import { shardOf } from '../../../functions/topics/shard.js';
import { testDynamo } from '../../support/dynamodb.js';
import { DynamoProxy } from '../../support/dynamodb-proxy.js';
import { notRun } from '../../support/parts.js';
import { outbound, presence, publication, retained, session } from '../../support/store-rows.js';

const dynamo = await testDynamo();
if (typeof dynamo === 'string') {
  notRun('DynamoDB Local', dynamo);
} else {
  const proxy = await DynamoProxy.start(dynamo.endpoint);
  const options = await dynamo.table();
  const client = dynamoClient(options);
  const TableName = tableName(options.prefix);
  let nowMs = 1_790_000_000_000;
  const store = await openDynamoStore({ ...options, endpoint: proxy.endpoint, now: () => nowMs });
  after(async () => {
    await store.close();
    client.destroy();
    await proxy.stop();
  });
  const long = (bytes: number) => publication('t', { payload: new Uint8Array(bytes) });
  const items = async (): Promise<Item[]> => {
    const found: Item[] = [];
    for await (const { Items } of paginateScan({ client }, { TableName, ConsistentRead: true })) found.push(...Items!);
    return found;
  };
  const keys = async (): Promise<string[]> => (await items()).map(({ pk, sk }) => `${pk?.S} ${sk?.S}`);
  const partsLeft = async (): Promise<number> => (await keys()).filter((key) => /^parts:|\0part\0/.test(key)).length;

  describe('rows of the dynamodb store', () => {
    it('the table is as it is defined, made once, and expires by its attribute', async () => {
      await createTables(options);
      const { Table } = await client.send(new DescribeTableCommand({ TableName }));
      const names = Table!.AttributeDefinitions!.map((each) => `${each.AttributeName} ${each.AttributeType}`);
      const wanted = TABLE.AttributeDefinitions.map((each) => `${each.AttributeName} ${each.AttributeType}`);
      assert.deepEqual(names.sort(), wanted);
      assert.deepEqual(Table!.KeySchema, TABLE.KeySchema);
      assert.equal(Table!.BillingModeSummary?.BillingMode, TABLE.BillingMode);
      const { TimeToLiveDescription: expiry } = await client.send(new DescribeTimeToLiveCommand({ TableName }));
      assert.deepEqual(expiry, { AttributeName: TTL_ATTRIBUTE, TimeToLiveStatus: 'ENABLED' });
    });

    it('of several that make the table at once all find it, and expiry is seen to where the maker did not', async () => {
      const bare = { ...options, prefix: `${options.prefix}-bare` };
      const TableName = tableName(bare.prefix);
      const { AttributeDefinitions, KeySchema, BillingMode } = TABLE;
      const definition = { AttributeDefinitions: [...AttributeDefinitions], KeySchema: [...KeySchema], BillingMode };
      await client.send(new CreateTableCommand({ TableName, ...definition }));
      await createTables(bare);
      const { TimeToLiveDescription: expiry } = await client.send(new DescribeTimeToLiveCommand({ TableName }));
      assert.equal(expiry?.TimeToLiveStatus, 'ENABLED');
      const fresh = { ...options, prefix: `${options.prefix}-fresh` };
      await Promise.all([1, 2, 3].map(() => createTables(fresh)));
      await (await openDynamoStore(fresh)).close();
    });

    it('long rows leave no parts behind when they are replaced and removed', async () => {
      const will = { connectionNumber: 1, publication: long(800_000), delayS: 0 };
      const versions = [await store.presence.put(presence('c', { will }), 0)];
      versions.push(await store.presence.put(presence('c', { will }), versions[0]!));
      await store.outbound.put('c', 1, [outbound('p', '1', { publication: long(800_000) })]);
      await store.outbound.put('c', 1, [outbound('p', '1', { publication: long(400_000), packetId: 1 })]);
      await store.outbound.put('c', 1, [outbound('p', '2', { publication: long(400_000) })]);
      await store.retained.put(retained('t', { publication: long(800_000) }));
      assert.equal(await partsLeft(), 3 + 2 + 2 + 3);
      await assert.rejects(store.presence.put(presence('c', { will }), versions[0]!), { code: 'conflict' });
      assert.equal(await partsLeft(), 10);
      await store.presence.delete('c', versions[1]!);
      await store.outbound.remove('c', 1, [{ source: 'p', position: '1' }]);
      await store.outbound.clear('c', 1);
      await store.retained.put(retained('t', { position: '2', publication: null }));
      assert.equal(await partsLeft(), 0);
    });

    it('parts that another process wrote go with their row', async () => {
      const other = await openDynamoStore(options);
      await other.outbound.put('o', 1, [outbound('p', '1', { publication: long(800_000) })]);
      await other.close();
      const rows = await store.outbound.read('o', 1, null, 10);
      assert.equal(rows[0]?.publication?.payload.length, 800_000);
      await store.outbound.remove('o', 1, rows);
      assert.equal(await partsLeft(), 0);
    });

    it('a crash between parts and row leaves the row as it was, and its parts go an hour later', async () => {
      const subscriptions = Array.from({ length: 6_000 }, (_, i) => ({
        filter: `${i}/`.padEnd(80, 'x'),
        options: { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const,
        since: {},
      }));
      await store.sessions.put(session('s', 1, { subscriptions, sequence: 1 }));
      const before = await partsLeft();
      proxy.fail('PutItem', 'cut', 3);
      await assert.rejects(store.sessions.put(session('s', 1, { subscriptions, sequence: 2 })), {
        code: 'unavailable',
      });
      assert.equal(await partsLeft(), 2 * before);
      const [there] = await store.sessions.list(shardOf('s', 1), null, 1);
      assert.deepEqual([there?.sequence, there?.subscriptions.length], [1, 6_000]);
      nowMs += PART_DOUBT_MS - 1_000;
      await store.sessions.put(session('s', 1, { subscriptions, sequence: 3 }));
      assert.equal(await partsLeft(), 2 * before);
      nowMs += 2_000;
      await store.sessions.put(session('s', 1, { subscriptions, sequence: 4 }));
      assert.equal(await partsLeft(), before);
      await store.sessions.delete('s', 1, 1);
      assert.equal(await partsLeft(), 0);
    });

    it('what a crash leaves of a long queued row goes when the client is cleared', async () => {
      await store.outbound.put('q', 1, [outbound('p', '1')]);
      // The parts go through, the row does not.
      proxy.pass('BatchWriteItem');
      proxy.fail('BatchWriteItem', 'cut', 3);
      const put = store.outbound.put('q', 1, [outbound('p', '1', { publication: long(800_000) })]);
      await assert.rejects(put, { code: 'unavailable' });
      assert.equal(await partsLeft(), 3);
      assert.equal((await store.outbound.read('q', 1, null, 1))[0]?.publication?.payload.length, 256);
      await store.outbound.clear('q', 1);
      assert.deepEqual(
        (await keys()).filter((key) => key.startsWith('outbound:q')),
        [],
      );
    });

    it('only a tombstone expires, after its time, and setting the topic again takes that away', async () => {
      const expiry = async (): Promise<string | undefined> => {
        return (await items()).find(({ sk }) => sk?.S === 'cleared')?.[TTL_ATTRIBUTE]?.N;
      };
      // DynamoDB Local deletes at once what has expired.
      nowMs = Date.now();
      await store.retained.put(retained('cleared', { position: '1', publication: null }));
      assert.equal(await expiry(), String(Math.ceil(nowMs / 1_000) + TOMBSTONE_KEPT_S));
      await store.retained.put(retained('cleared', { position: '2' }));
      assert.equal(await expiry(), undefined);
    });

    it('an expired tombstone that is still there hides nothing and gives way', async () => {
      nowMs = Date.now() - 2 * TOMBSTONE_KEPT_S * 1_000;
      await store.retained.put(retained('old', { position: '1', publication: null }));
      nowMs = Date.now();
      assert.deepEqual((await store.retained.match('old', null, 1)).rows, []);
      assert.equal(await store.retained.put(retained('old', { position: '2' })), true);
      assert.equal((await store.retained.match('old', null, 1)).rows.length, 1);
    });

    it('the version of a deleted presence row is not that of its successor', async () => {
      const first = await store.presence.put(presence('v'), 0);
      await store.presence.delete('v', first);
      nowMs += 1;
      await store.presence.put(presence('v'), 0);
      await assert.rejects(store.presence.put(presence('v'), first), { code: 'conflict' });
    });

    it('the clients of a shard are spread over partition keys, however many shards there are', async () => {
      for (const shards of [1, 2, 3, 4, 16]) {
        const ids = Array.from({ length: 4_000 }, (_, i) => `device-${i}`);
        const places = ids.filter((id) => shardOf(id, shards) === 0).map((id) => presenceKey(id, shards).pk);
        const counts = presenceLists(0).map(({ pk }) => places.filter((each) => each === pk).length);
        assert.equal(
          counts.reduce((a, b) => a + b),
          places.length,
        );
        assert.ok(Math.max(...counts) < 2 * (places.length / counts.length), `${shards} shards: ${counts}`);
      }
    });

    it('each shard lists its own clients, and every client is in one', async () => {
      const sharded = await openDynamoStore(await dynamo.table({ shards: 3 }));
      const ids = Array.from({ length: 40 }, (_, i) => `client-${i}`).sort();
      await Promise.all(ids.map((id) => sharded.presence.put(presence(id), 0)));
      await Promise.all(ids.map((id) => sharded.sessions.put(session(id, 1))));
      for (const shard of [0, 1, 2]) {
        const wanted = ids.filter((id) => shardOf(id, 3) === shard);
        const rows = await sharded.presence.list(shard, null, 100);
        assert.deepEqual(
          rows.map(({ row }) => row.clientId),
          wanted,
        );
        const sessions = await sharded.sessions.list(shard, wanted[0]!, 100);
        assert.deepEqual(
          sessions.map((row) => row.clientId),
          wanted.slice(1),
        );
      }
      await sharded.close();
    });

    it('of many writes to one retained topic at once few are made, and the newest stays', async () => {
      proxy.take();
      const wrote = await Promise.all(
        Array.from({ length: 500 }, (_, i) =>
          store.retained.put(retained('busy', { position: `${i}`.padStart(4, '0') })),
        ),
      );
      assert.deepEqual(proxy.take(), { PutItem: 1 });
      assert.deepEqual(
        wrote.flatMap((each, i) => (each ? [i] : [])),
        [499],
      );
    });
  });
}
