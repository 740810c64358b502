import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { openDynamoStore } from '../../../functions/adapters/dynamodb/open.js';
import { testDynamo } from '../../support/dynamodb.js';
import { DynamoProxy } from '../../support/dynamodb-proxy.js';
import { compareTable } from '../../support/measured-table.js';
import { notRun } from '../../support/parts.js';
import { outbound, presence, publication, retained, session } from '../../support/store-rows.js';

const dynamo = await testDynamo();
if (typeof dynamo === 'string') {
  notRun('DynamoDB Local', dynamo);
} else {
  const proxy = await DynamoProxy.start(dynamo.endpoint);
  const options = await dynamo.table();
  const store = await openDynamoStore({ ...options, endpoint: proxy.endpoint });
  after(async () => {
    await store.close();
    await proxy.stop();
  });
  const opening = proxy.take();

  const rows = (count: number, from = 0): ReturnType<typeof outbound>[] =>
    Array.from({ length: count }, (_, i) => outbound('p', String(from + i).padStart(5, '0')));
  const long = publication('t', { payload: new Uint8Array(1_000_000) });
  const checkpoint = (i: number) => ({ partition: `p-${i}`, low: 'l', done: ['d'] });
  const inOneTurn = (count: number, call: (i: number) => Promise<unknown>): Promise<unknown> =>
    Promise.all(Array.from({ length: count }, (_, i) => call(i)));

  /** In this order: later ones find what earlier ones wrote. */
  const COSTS: [operation: string, run: () => Promise<unknown>, calls: Record<string, number>][] = [
    ['presence.get of nobody', () => store.presence.get('a'), { GetItem: 1 }],
    ['presence.put', () => store.presence.put(presence('a'), 0), { PutItem: 1 }],
    ['presence.get', () => store.presence.get('a'), { GetItem: 1 }],
    ['presence.list: a query a bucket', () => store.presence.list(0, null, 100), { Query: 4 }],
    ['presence.delete at a wrong version', () => failing(store.presence.delete('a', 1)), { DeleteItem: 1 }],
    ['sessions.put', () => store.sessions.put(session('a', 1)), { PutItem: 1 }],
    ['sessions.take', () => store.sessions.take('a', 1, 1), { UpdateItem: 1 }],
    ['sessions.list: a query a bucket', () => store.sessions.list(0, null, 100), { Query: 4 }],
    ['sessions.delete', () => store.sessions.delete('a', 1, 1), { DeleteItem: 1 }],
    ['inbound.begin', () => store.inbound.begin('a', 1, 1, { token: 't', begunAtMs: 1 }), { PutItem: 1 }],
    ['inbound.begin again', () => store.inbound.begin('a', 1, 1, { token: 'u', begunAtMs: 1 }), { PutItem: 2 }],
    ['inbound.end', () => store.inbound.end('a', 1, 1), { DeleteItem: 1 }],
    ['inbound.clear of nothing', () => store.inbound.clear('a', 1), { Query: 1 }],
    ['outbound.put of 10 rows', () => store.outbound.put('a', 1, rows(10)), { BatchWriteItem: 1 }],
    ['outbound.put of 26 rows', () => store.outbound.put('a', 1, rows(26)), { BatchWriteItem: 2 }],
    ['outbound.put of no rows', () => store.outbound.put('a', 1, []), {}],
    [
      'outbound.put of a row each in one turn, 20 of one client',
      () => inOneTurn(20, (i) => store.outbound.put('a', 1, rows(1, i))),
      { BatchWriteItem: 1 },
    ],
    [
      'outbound.put of a row each in one turn, of 25 clients',
      () => inOneTurn(25, (i) => store.outbound.put(`a${i}`, 1, rows(1))),
      { BatchWriteItem: 1 },
    ],
    ['outbound.read of 26 rows', () => store.outbound.read('a', 1, null, 100), { Query: 1 }],
    ['outbound.remove of 10 rows', () => store.outbound.remove('a', 1, rows(10)), { BatchWriteItem: 1 }],
    ['outbound.clear of 16 rows', () => store.outbound.clear('a', 1), { Query: 1, BatchWriteItem: 1 }],
    ['outbound.clear of nothing', () => store.outbound.clear('a', 1), { Query: 1 }],
    ['retained.put', () => store.retained.put(retained('x/y')), { PutItem: 1 }],
    ['retained.put of what is older', () => store.retained.put(retained('x/y', { position: '0' })), { PutItem: 1 }],
    ['check', () => store.check(), { GetItem: 1 }],
    ['retained.match of a topic', () => store.retained.match('x/y', null, 100), { GetItem: 1 }],
    ['retained.match of a wildcard: a query a bucket', () => store.retained.match('x/#', null, 100), { Query: 4 }],
    ['retained.match behind all that can match', () => store.retained.match('x/+', 'y', 100), {}],
    ['shards.claim', () => store.shards.claim(0, 'w'), { UpdateItem: 1 }],
    ['shards.checkpoints', () => store.shards.checkpoints(0), { Query: 1 }],
    [
      'shards.saveCheckpoints of 99 partitions',
      () =>
        store.shards.saveCheckpoints(
          0,
          1,
          Array.from({ length: 99 }, (_, i) => checkpoint(i)),
        ),
      { TransactWriteItems: 1 },
    ],
    [
      'shards.saveCheckpoints of 100 partitions',
      () =>
        store.shards.saveCheckpoints(
          0,
          1,
          Array.from({ length: 100 }, (_, i) => checkpoint(i)),
        ),
      { TransactWriteItems: 2 },
    ],
    [
      'retained.put of a megabyte: parts, row, look for parts of a crash',
      () => store.retained.put(retained('long', { publication: long })),
      { BatchWriteItem: 1, PutItem: 1, Query: 1 },
    ],
    ['retained.match of a megabyte', () => store.retained.match('long', null, 1), { GetItem: 1, BatchGetItem: 1 }],
    [
      'retained.put of less: row, old parts',
      () => store.retained.put(retained('long', { position: '2' })),
      { PutItem: 1, BatchWriteItem: 1 },
    ],
    [
      'outbound.put of a megabyte: parts, row',
      () => store.outbound.put('b', 1, [outbound('p', '1', { publication: long })]),
      { BatchWriteItem: 2 },
    ],
    [
      'outbound.remove of a megabyte: row, parts',
      () => store.outbound.remove('b', 1, [{ source: 'p', position: '1' }]),
      { BatchWriteItem: 2 },
    ],
  ];

  describe('calls of DynamoDB', () => {
    const measured: (string | number)[][] = [['operation', 'calls', 'read units', 'write units']];
    it('opening costs one', () => assert.deepEqual(opening, { PutItem: 1 }));
    for (const [operation, run, calls] of COSTS) {
      it(`${operation}: ${JSON.stringify(calls)}`, async () => {
        proxy.take();
        proxy.takeUnits();
        await run();
        assert.deepEqual(proxy.take(), calls);
        const { read, write } = proxy.takeUnits();
        const names = Object.entries(calls).map(([name, count]) => (count === 1 ? name : `${count} ${name}`));
        measured.push([operation, names.join(', ') || 'none', read, write]);
      });
    }
    it('docs/DYNAMODB.md says what they cost', () => compareTable('docs/DYNAMODB.md', 'operations', measured));
  });
}

async function failing(promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, { code: 'conflict' });
}
