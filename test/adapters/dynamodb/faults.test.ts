import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { openDynamoStore } from '../../../functions/adapters/dynamodb/open.js';
import { testDynamo } from '../../support/dynamodb.js';
import { DynamoProxy } from '../../support/dynamodb-proxy.js';
import { notRun } from '../../support/parts.js';
import { outbound, presence, publication, retained, session } from '../../support/store-rows.js';
import { unique, within } from '../../support/waiting.js';

const THROTTLED = [
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
  'RequestLimitExceeded',
  'TransactionConflictException',
];

const dynamo = await testDynamo();
if (typeof dynamo === 'string') {
  notRun('DynamoDB Local', dynamo);
} else {
  const proxy = await DynamoProxy.start(dynamo.endpoint);
  const options = { ...(await dynamo.table()), endpoint: proxy.endpoint };
  const store = await openDynamoStore(options);
  after(async () => {
    await store.close();
    await proxy.stop();
  });

  describe('dynamodb store when DynamoDB fails', () => {
    it('a throttled call is made again', async () => {
      for (const name of THROTTLED) {
        const id = unique('throttled');
        proxy.fail('PutItem', { throttle: name }, 2);
        proxy.take();
        await store.presence.put(presence(id), 0);
        assert.deepEqual(proxy.take(), { PutItem: 3 }, name);
      }
    });

    it('a call that is throttled past its deadline answers unavailable, and writes nothing', async () => {
      const id = unique('throttled');
      const impatient = await openDynamoStore({ ...options, callMaxMs: 300 });
      proxy.fail('UpdateItem', { throttle: 'ThrottlingException' }, 1_000);
      const begunMs = performance.now();
      await assert.rejects(impatient.shards.claim(7, id), { code: 'unavailable', retriable: true });
      assert.ok(performance.now() - begunMs < 600);
      proxy.forget();
      assert.equal(await impatient.shards.claim(7, id), 1);
      await impatient.close();
    });

    it('a batch of which nothing gets through answers unavailable after the deadline, however often it is left', async () => {
      const impatient = await openDynamoStore({ ...options, callMaxMs: 300 });
      proxy.fail('BatchWriteItem', 'leave-all', 1_000);
      const put = impatient.outbound.put(unique('left'), 1, [outbound('p', '1')]);
      await assert.rejects(put, { code: 'unavailable' });
      proxy.forget();
      await impatient.close();
    });

    it('waiting for a connection counts: none waits longer than the deadline and one answer', async () => {
      const narrow = await openDynamoStore({ ...options, connections: 1, answerMaxMs: 250, callMaxMs: 100 });
      proxy.fail('GetItem', 'stall', 1_000);
      const begunMs = performance.now();
      const gets = await Promise.allSettled(Array.from({ length: 50 }, () => narrow.presence.get('x')));
      assert.ok(performance.now() - begunMs < 2_000);
      assert.ok(gets.every((each) => each.status === 'rejected' && each.reason.code === 'unavailable'));
      proxy.forget();
      await narrow.close();
    });

    it('an answer that stops in the middle is as none', async () => {
      const impatient = await openDynamoStore({ ...options, answerMaxMs: 200 });
      const id = unique('stalled');
      proxy.fail('PutItem', 'stall');
      const version = await impatient.presence.put(presence(id), 0);
      assert.equal((await impatient.presence.get(id))?.version, version);
      await impatient.close();
    });

    it('credentials that cannot be had are refused, and asked for again before', async () => {
      proxy.fail('GetItem', { throttle: 'ExpiredTokenException' }, 3);
      proxy.take();
      await assert.rejects(store.check(), { code: 'refused' });
      assert.deepEqual(proxy.take(), { GetItem: 3 });
      await store.check();
    });

    it('a clock that is an hour slow is corrected by the first refusal', async () => {
      const slow = await openDynamoStore(options);
      proxy.fail('GetItem', 'skewed');
      proxy.take();
      await slow.check();
      assert.deepEqual(proxy.take(), { GetItem: 2 });
      await slow.close();
    });

    it('what a check finds is unavailable or refused', async () => {
      proxy.take();
      proxy.fail('GetItem', 'cut', 3);
      await assert.rejects(store.check(), { code: 'unavailable' });
      proxy.fail('GetItem', { throttle: 'UnrecognizedClientException' });
      await assert.rejects(store.check(), { code: 'refused' });
      proxy.fail('GetItem', { throttle: 'ResourceNotFoundException' });
      await assert.rejects(store.check(), { code: 'refused', message: /infra\/tables\.yml/ });
    });

    it('a session write that arrives late does not undo a later one', async () => {
      const id = unique('late');
      proxy.fail('PutItem', 'late');
      await store.sessions.put(session(id, 1, { sequence: 1 }));
      await store.sessions.put(session(id, 1, { sequence: 2 }));
      await proxy.deliverLate();
      assert.equal((await store.sessions.list(0, id.slice(0, -1), 1))[0]?.sequence, 2);
    });

    it('checkpoints saved at once end as the last call says', async () => {
      const epoch = await store.shards.claim(11, 'w');
      proxy.fail('TransactWriteItems', { throttle: 'ThrottlingException' }, 2);
      await Promise.all(
        [1, 2, 3].map((low) => store.shards.saveCheckpoints(11, epoch, [{ partition: 'p', low: `${low}`, done: [] }])),
      );
      assert.equal((await store.shards.checkpoints(11))[0]?.low, '3');
    });

    it('of checkpoints of one partition in one call the last stays', async () => {
      const epoch = await store.shards.claim(12, 'w');
      const rows = ['1', '2'].map((low) => ({ partition: 'p', low, done: [] }));
      await store.shards.saveCheckpoints(12, epoch, rows);
      assert.deepEqual(await store.shards.checkpoints(12), [rows[1]]);
    });

    it('a call without an answer is made three times, then unavailable', async () => {
      proxy.fail('GetItem', 'cut', 3);
      proxy.take();
      await assert.rejects(store.presence.get('x'), { code: 'unavailable', retriable: true });
      assert.deepEqual(proxy.take(), { GetItem: 3 });
      assert.equal(await store.presence.get('x'), undefined);
    });

    it('a call that is not authorised is refused at once', async () => {
      proxy.fail('GetItem', { throttle: 'AccessDeniedException' });
      proxy.take();
      await assert.rejects(store.presence.get('x'), { code: 'refused' });
      assert.deepEqual(proxy.take(), { GetItem: 1 });
    });

    it('a presence write whose answer is lost is known again', async () => {
      const id = unique('lost');
      proxy.fail('PutItem', 'lose-answer');
      const version = await store.presence.put(presence(id), 0);
      assert.equal((await store.presence.get(id))?.version, version);
      proxy.fail('DeleteItem', 'lose-answer');
      await store.presence.delete(id, version);
      assert.equal(await store.presence.get(id), undefined);
      await assert.rejects(store.presence.delete(id, version), { code: 'conflict' });
    });

    it('a packet identifier whose begin or end lost its answer is begun or ended once', async () => {
      const id = unique('lost');
      proxy.fail('PutItem', 'lose-answer');
      assert.equal(await store.inbound.begin(id, 1, 1, { token: 't', begunAtMs: 1 }), undefined);
      assert.equal((await store.inbound.begin(id, 1, 1, { token: 'u', begunAtMs: 1 }))?.token, 't');
      proxy.fail('DeleteItem', 'lose-answer');
      assert.equal(await store.inbound.end(id, 1, 1), true);
      assert.equal(await store.inbound.end(id, 1, 1), false);
    });

    it('a retained write whose answer is lost says that it wrote', async () => {
      const topic = unique('lost');
      proxy.fail('PutItem', 'lose-answer');
      assert.equal(await store.retained.put(retained(topic)), true);
      assert.equal(await store.retained.put(retained(topic)), false);
    });

    it('checkpoints whose answer is lost are saved, and a conflict of transactions is tried again', async () => {
      const epoch = await store.shards.claim(9, 'w');
      proxy.fail('TransactWriteItems', 'lose-answer');
      proxy.fail('TransactWriteItems', { throttle: 'TransactionConflictException' });
      await store.shards.saveCheckpoints(9, epoch, [{ partition: 'p', low: '1', done: [] }]);
      assert.equal((await store.shards.checkpoints(9))[0]?.low, '1');
    });

    it('what a batch leaves unprocessed is handed in again, and the promise waits for it', async () => {
      const id = unique('left');
      const rows = Array.from({ length: 5 }, (_, i) => outbound('p', `${i}`));
      proxy.fail('BatchWriteItem', 'leave-some', 3);
      proxy.take();
      await store.outbound.put(id, 1, rows);
      assert.deepEqual(proxy.take(), { BatchWriteItem: 4 });
      assert.equal((await store.outbound.read(id, 1, null, 10)).length, 5);
    });

    it('a failed write lets those behind it through, in order', async () => {
      const id = unique('behind');
      proxy.fail('PutItem', { throttle: 'AccessDeniedException' });
      const outcomes = await Promise.allSettled([
        store.sessions.put(session(id, 1, { sequence: 1 })),
        store.sessions.put(session(id, 1, { sequence: 2 })),
        store.sessions.put(session(id, 1, { sequence: 3 })),
      ]);
      assert.deepEqual(
        outcomes.map(({ status }) => status),
        ['rejected', 'fulfilled', 'fulfilled'],
      );
      assert.equal((await store.sessions.list(0, id.slice(0, -1), 1))[0]?.sequence, 3);
    });

    it('more writes of one client than a line takes answer full, and those in it go through', async () => {
      const id = unique('line');
      const outcomes = await Promise.allSettled(
        Array.from({ length: 10_010 }, (_, i) => store.outbound.put(id, 1, i % 100 ? [] : [outbound('p', `${i}`)])),
      );
      const refused = outcomes.filter((each) => each.status === 'rejected');
      assert.equal(refused.length, 10);
      assert.ok(refused.every(({ reason }) => reason.code === 'full'));
      assert.equal((await store.outbound.read(id, 1, null, 1_000)).length, 100);
    });

    it('a row over the limit is too large, and nothing is written', async () => {
      const id = unique('large');
      const payload = new Uint8Array(64 * 1024 * 1024);
      proxy.take();
      const put = store.outbound.put(id, 1, [outbound('p', '1', { publication: publication('t', { payload }) })]);
      await assert.rejects(put, { code: 'too-large', retriable: false });
      assert.deepEqual(proxy.take(), {});
    });

    it('a text with U+0000 is refused', async () => {
      await assert.rejects(store.presence.put(presence('a\0b'), 0), { code: 'refused' });
      await assert.rejects(store.outbound.put('a', 1, [outbound('p\0', '1')]), { code: 'refused' });
    });

    it('another number of shards is refused, a missing table is refused with the remedy, and nobody there is unavailable', async () => {
      await assert.rejects(openDynamoStore({ ...options, shards: 2 }), { code: 'refused' });
      await assert.rejects(openDynamoStore({ ...options, prefix: 'missing' }), {
        code: 'refused',
        message: /infra\/tables\.yml.*make=yes/,
      });
      await assert.rejects(openDynamoStore({ ...options, endpoint: 'http://127.0.0.1:1' }), { code: 'unavailable' });
    });

    it('closing while DynamoDB is away ends with the deadline, and what waits answers gone', async () => {
      const other = await openDynamoStore({ ...options, callMaxMs: 200 });
      const id = unique('closing');
      proxy.fail('PutItem', { throttle: 'ThrottlingException' }, 100_000);
      const writes = Array.from({ length: 500 }, (_, sequence) => other.sessions.put(session(id, 1, { sequence })));
      const outcomes = Promise.allSettled(writes);
      await within('the end of closing', other.close(), 2_000);
      const codes = (await outcomes).map((each) => each.status === 'rejected' && each.reason.code);
      assert.equal(codes.at(-1), 'gone');
      assert.ok(codes.every((code) => code === 'gone' || code === 'unavailable'));
      proxy.forget();
    });

    it('closing waits for what was begun', async () => {
      const other = await openDynamoStore(options);
      const id = unique('closing');
      const writes = [1, 2, 3].map((sequence) => other.sessions.put(session(id, 1, { sequence })));
      await other.close();
      await Promise.all(writes);
      assert.equal((await store.sessions.list(0, id.slice(0, -1), 1))[0]?.sequence, 3);
      await assert.rejects(other.outbound.put(id, 1, []), { code: 'gone' });
    });
  });
}
