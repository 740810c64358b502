import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { paginateScan, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { tableName } from '../../../functions/adapters/dynamodb/keys.js';
import { dynamoClient, dynamoStore } from '../../../functions/adapters/dynamodb/open.js';
import { PortError } from '../../../functions/ports/errors.js';
import { ROWS_VERSION, type Store } from '../../../functions/ports/store.js';
import { testDynamo } from '../../support/dynamodb.js';
import { notRun } from '../../support/parts.js';
import { outbound, presence, retained, session } from '../../support/store-rows.js';

const dynamo = await testDynamo();
if (typeof dynamo === 'string') {
  notRun('DynamoDB Local', dynamo);
} else {
  const options = await dynamo.table();
  const { store, prepare } = dynamoStore(options);
  await prepare();
  const client = dynamoClient(options);
  const TableName = tableName(options.prefix);
  after(async () => {
    await store.close();
    client.destroy();
  });
  /** All rows of one kind, by the beginning of their partition keys. */
  const rows = async (kind: string) => {
    const found = [];
    for await (const { Items = [] } of paginateScan({ client }, { TableName, ConsistentRead: true }))
      found.push(...Items);
    return found.filter(({ pk, sk }) => `${pk?.S} ${sk?.S}`.startsWith(kind));
  };
  /** As a program of that version would have left them; null: as one that knew of no versions. */
  const setVersion = async (kind: string, version: number | null) => {
    for (const { pk, sk } of await rows(kind)) {
      const change =
        version === null
          ? { UpdateExpression: 'REMOVE v' }
          : { UpdateExpression: 'SET v = :v', ExpressionAttributeValues: { ':v': { N: String(version) } } };
      await client.send(new UpdateItemCommand({ TableName, Key: { pk: pk!, sk: sk! }, ...change }));
    }
  };
  const checkpoint = { partition: 'p', low: '1', done: [] };
  let epoch = 0;
  const BEGUN = { token: 't', begunAtMs: 1 };

  interface Kind {
    /** How keys of such rows begin. */
    rows: string;
    write: (store: Store) => Promise<unknown>;
    /** Each of them meets the row. */
    uses: Readonly<Record<string, (store: Store) => Promise<unknown>>>;
  }

  const KINDS: Readonly<Record<string, Kind>> = {
    presence: {
      rows: 'presence:',
      write: ({ presence: table }) => table.put(presence('c'), 0),
      uses: {
        get: ({ presence: table }) => table.get('c'),
        list: ({ presence: table }) => table.list(0, null, 10),
        'put of a new row': ({ presence: table }) => table.put(presence('c'), 0),
        'put over a version': ({ presence: table }) => table.put(presence('c'), 1),
        delete: ({ presence: table }) => table.delete('c', 1),
      },
    },
    session: {
      rows: 'session:',
      write: ({ sessions }) => sessions.put(session('c', 1)),
      uses: {
        list: ({ sessions }) => sessions.list(0, null, 10),
        put: ({ sessions }) => sessions.put(session('c', 9)),
        delete: ({ sessions }) => sessions.delete('c', 9, 9),
      },
    },
    inbound: {
      rows: 'inbound:',
      write: ({ inbound: table }) => table.begin('c', 1, 7, BEGUN),
      uses: {
        begin: ({ inbound: table }) => table.begin('c', 1, 7, BEGUN),
        clear: ({ inbound: table }) => table.clear('c', 1),
      },
    },
    outbound: {
      rows: 'outbound:',
      write: ({ outbound: table }) => table.put('c', 1, [outbound('p', '1')]),
      uses: {
        read: ({ outbound: table }) => table.read('c', 1, null, 10),
        generations: ({ outbound: table }) => table.generations('c', 1),
        clear: ({ outbound: table }) => table.clear('c', 1),
      },
    },
    retained: {
      rows: 'retained:',
      write: ({ retained: table }) => table.put(retained('t', { position: '1' })),
      uses: {
        'match of its topic': ({ retained: table }) => table.match('t', null, 10),
        'match of all': ({ retained: table }) => table.match('#', null, 10),
        put: ({ retained: table }) => table.put(retained('t', { position: '2' })),
      },
    },
    claim: {
      rows: 'shard:0 claim',
      write: async ({ shards }) => {
        epoch = await shards.claim(0, 'o');
      },
      uses: { claim: ({ shards }) => shards.claim(0, 'o') },
    },
    checkpoint: {
      rows: 'shard:0 done',
      write: async ({ shards }) => {
        epoch = await shards.claim(0, 'o');
        await shards.saveCheckpoints(0, epoch, [checkpoint]);
      },
      uses: { checkpoints: ({ shards }) => shards.checkpoints(0) },
    },
    'number of shards': {
      rows: 'meta',
      write: () => prepare(),
      uses: { opening: () => prepare(), check: ({ check }) => check.call(store) },
    },
  };

  describe('rows of versions of the dynamodb store', () => {
    for (const [name, { rows: kind, write, uses }] of Object.entries(KINDS)) {
      it(`${name}: a row of a newer version is refused, and stays as it is`, async () => {
        await write(store);
        for (const { v } of await rows(kind)) assert.equal(v?.N, String(ROWS_VERSION));
        await setVersion(kind, ROWS_VERSION + 1);
        const before = await rows(kind);
        assert.notEqual(before.length, 0);
        for (const [use, run] of Object.entries(uses)) {
          await assert.rejects(run(store), (error: unknown) => {
            assert.ok(error instanceof PortError, use);
            assert.equal(error.code, 'refused', use);
            assert.match(
              error.message,
              /a newer Pulsegate wrote the row .* version is 2, and this program knows 1/,
              use,
            );
            return true;
          });
        }
        assert.deepEqual(await rows(kind), before);
        await setVersion(kind, null);
        for (const [use, run] of Object.entries(uses)) {
          await run(store).catch((error: unknown) => assert.equal((error as PortError).code, 'conflict', use));
        }
      });
    }

    it('a checkpoint of a newer version is not written over, and the shard is lost', async () => {
      await store.shards.saveCheckpoints(0, epoch, [checkpoint]).catch(() => {});
      epoch = await store.shards.claim(0, 'o');
      await store.shards.saveCheckpoints(0, epoch, [checkpoint]);
      await setVersion('shard:0 done', ROWS_VERSION + 1);
      const before = await rows('shard:0 done');
      for (const low of ['2', null]) {
        const saved = store.shards.saveCheckpoints(0, epoch, [{ ...checkpoint, low }]);
        await assert.rejects(saved, { code: 'conflict' });
      }
      assert.deepEqual(await rows('shard:0 done'), before);
    });
  });
}
