import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dynamoStore, openDynamoStore, reshardTable } from '../../../functions/adapters/dynamodb/open.js';
import { PortError } from '../../../functions/ports/errors.js';
import type { LeaseRow } from '../../../functions/ports/leases.js';
import type { Store } from '../../../functions/ports/store.js';
import { shardOf } from '../../../functions/topics/shard.js';
import { testDynamo } from '../../support/dynamodb.js';
import { notRun } from '../../support/parts.js';
import { presence, session } from '../../support/store-rows.js';

const CLIENTS = Array.from({ length: 40 }, (_, i) => `client-${i}`);
const dynamo = await testDynamo();
if (typeof dynamo === 'string') {
  notRun('DynamoDB Local', dynamo);
} else {
  const wait = async () => {};
  const options = { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
  const SUBSCRIPTION = { filter: 'a', options, since: { 'p-0': '05' } };

  /** Every client has a session, and the shards have read to different places. */
  const filled = async (shards: number) => {
    const options = await dynamo.table({ shards });
    const store = await openDynamoStore(options);
    for (let shard = 0; shard < shards; shard += 1) {
      const epoch = await store.shards.claim(shard, 'owner');
      const low = `${10 + shard}`;
      await store.shards.saveCheckpoints(shard, epoch, [{ partition: 'p-0', low, done: [] }]);
    }
    for (const clientId of CLIENTS) {
      await store.presence.put(presence(clientId), 0);
      await store.sessions.put(session(clientId, 1, { subscriptions: [SUBSCRIPTION] }));
    }
    await store.close();
    return options;
  };

  const clientsOf = async (store: Store, shards: number) => {
    const found: string[] = [];
    for (let shard = 0; shard < shards; shard += 1) {
      const sessions = await store.sessions.list(shard, null, 1_000);
      const presences = await store.presence.list(shard, null, 1_000);
      assert.deepEqual(
        sessions.map(({ clientId }) => clientId),
        presences.map(({ row }) => row.clientId),
      );
      for (const { clientId } of sessions) assert.equal(shardOf(clientId, shards), shard);
      found.push(...sessions.map(({ clientId }) => clientId));
    }
    return found.sort();
  };

  for (const [from, to] of [
    [2, 5],
    [5, 2],
    [3, 4],
  ] as const) {
    test(`from ${from} to ${to} shards every session goes along, and takes with it how far its shard was`, async () => {
      const options = await filled(from);
      const moved = await reshardTable({ ...options, shards: to }, wait);
      assert.deepEqual(moved, { from, sessions: CLIENTS.length, presences: CLIENTS.length });
      const store = await openDynamoStore({ ...options, shards: to });
      assert.deepEqual(await clientsOf(store, to), [...CLIENTS].sort());
      for (let shard = 0; shard < to; shard += 1) {
        // Of the shard that was furthest behind.
        assert.deepEqual(await store.shards.checkpoints(shard), [{ partition: 'p-0', low: '10', done: [] }]);
        for (const row of await store.sessions.list(shard, null, 1_000)) {
          assert.equal(row.subscriptions[0]?.since['p-0'], `${10 + shardOf(row.clientId, from)}`);
          // Whoever owns the shard next may write it.
          const epoch = await store.shards.claim(shard, 'next');
          await store.sessions.put({ ...row, epoch });
        }
      }
      await store.close();
      assert.equal(await reshardTable({ ...options, shards: to }, wait), null);
      await assert.rejects(openDynamoStore({ ...options, shards: from }), /has . shards/);
    });
  }

  test('what was cut off is begun again; until then no process starts', async () => {
    const options = await filled(2);
    let calls = 0;
    const failing = {
      ...options,
      now: () => {
        calls += 1;
        if (calls > 60) throw new Error('the machine is gone');
        return Date.now();
      },
    };
    await assert.rejects(reshardTable({ ...failing, shards: 5 }, wait), /the machine is gone/);
    for (const shards of [2, 5]) await assert.rejects(openDynamoStore({ ...options, shards }), /finish with --reshard/);
    // Another number than before, and to undo it: only what was begun can be finished.
    for (const shards of [2, 3]) {
      await assert.rejects(reshardTable({ ...options, shards }, wait), /finish with PULSEGATE_SHARDS=5/);
    }
    await reshardTable({ ...options, shards: 5 }, wait);
    const store = await openDynamoStore({ ...options, shards: 5 });
    assert.deepEqual(await clientsOf(store, 5), [...CLIENTS].sort());
    await store.close();
    assert.deepEqual(await reshardTable({ ...options, shards: 5 }, wait), null);
  });

  test('a process that has read the table before and takes its lease after is turned away', async () => {
    const options = await filled(2);
    const { leases, store, prepare } = dynamoStore(options);
    await prepare();
    await reshardTable({ ...options, shards: 5 }, wait);
    const row = { slot: 0, holder: 'h', beat: 1, isEdge: true, isWorker: true, shards: [], leaseMs: 1, agreed: {} };
    await assert.rejects(leases.put(row, 0), { code: 'refused' });
    assert.deepEqual(await leases.list(), []);
    await store.close();
  });

  test('nothing is moved while a process runs, or where one has not finished', async () => {
    const options = await filled(2);
    const { store, leases } = dynamoStore(options);
    const row: LeaseRow = {
      slot: 0,
      holder: 'h',
      beat: 1,
      isEdge: true,
      isWorker: true,
      shards: [],
      leaseMs: 1,
      agreed: {},
    };
    let version = await leases.put(row, 0);
    const beats = async () => {
      version = await leases.put({ ...row, beat: 2 }, version);
    };
    const refused = (error: unknown) => error instanceof PortError && error.code === 'refused';
    await assert.rejects(reshardTable({ ...options, shards: 3 }, beats), refused);
    const epoch = await store.shards.claim(1, 'owner');
    await store.shards.saveCheckpoints(1, epoch, [{ partition: 'p-0', low: '10', done: ['12'] }]);
    await assert.rejects(reshardTable({ ...options, shards: 3 }, wait), /shard 1 has not finished with p-0/);
    await store.close();
    const untouched = await openDynamoStore(options);
    assert.deepEqual(await clientsOf(untouched, 2), [...CLIENTS].sort());
    await untouched.close();
  });
}
