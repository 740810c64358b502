import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { openDynamoStore } from '../../../functions/adapters/dynamodb/open.js';
import type { Store } from '../../../functions/ports/store.js';
import { testDynamo } from '../../support/dynamodb.js';
import { DynamoProxy } from '../../support/dynamodb-proxy.js';
import { notRun } from '../../support/parts.js';
import { presence, publication, retained, session } from '../../support/store-rows.js';
import { unique } from '../../support/waiting.js';

const STORES = 4;

const dynamo = await testDynamo();
if (typeof dynamo === 'string') {
  notRun('DynamoDB Local', dynamo);
} else {
  const proxy = await DynamoProxy.start(dynamo.endpoint);
  const options = await dynamo.table();
  /** As of so many processes: their lines know nothing of each other, so that DynamoDB alone decides. */
  const stores = await Promise.all(Array.from({ length: STORES }, () => openDynamoStore(options)));
  const [here] = stores as [Store];
  /** Its calls go through the proxy. */
  const unlucky = await openDynamoStore({ ...options, endpoint: proxy.endpoint });
  after(async () => {
    await Promise.all([...stores, unlucky].map((store) => store.close()));
    await proxy.stop();
  });
  const long = (bytes: number) => publication('t', { payload: new Uint8Array(bytes).fill(bytes % 251) });

  describe('dynamodb store of several processes', () => {
    it('of those that write a presence row at the same version one wins, every time', async () => {
      const id = unique('race');
      let version = 0;
      for (let round = 0; round < 10; round += 1) {
        const puts = stores.map((store, i) => store.presence.put(presence(id, { edge: `${round} ${i}` }), version));
        const outcomes = await Promise.allSettled(puts);
        const won = outcomes.flatMap((each, i) => (each.status === 'fulfilled' ? [{ i, version: each.value }] : []));
        const lost = outcomes.flatMap((each) => (each.status === 'rejected' ? [each.reason.code] : []));
        assert.deepEqual([won.length, lost], [1, Array(STORES - 1).fill('conflict')]);
        const there = await here.presence.get(id);
        assert.deepEqual([there?.row.edge, there?.version], [`${round} ${won[0]!.i}`, won[0]!.version]);
        version = won[0]!.version;
      }
    });

    it('a presence row that is deleted and written at once is either', async () => {
      for (let round = 0; round < 10; round += 1) {
        const id = unique('race');
        const version = await here.presence.put(presence(id), 0);
        const outcomes = await Promise.allSettled([
          stores[1]!.presence.delete(id, version),
          stores[2]!.presence.put(presence(id, { edge: 'new' }), version),
        ]);
        const [deleted, written] = outcomes.map(({ status }) => status === 'fulfilled');
        assert.notEqual(deleted, written);
        assert.equal((await here.presence.get(id))?.row.edge, written ? 'new' : undefined);
      }
    });

    it('of those that begin one packet identifier one gets it, and the others its row', async () => {
      for (let round = 0; round < 10; round += 1) {
        const id = unique('race');
        const answers = await Promise.all(
          stores.map((store, i) => store.inbound.begin(id, 1, 1, { token: `${i}`, begunAtMs: 1 })),
        );
        const winner = answers.indexOf(undefined);
        assert.deepEqual(
          answers.map((answer) => answer?.token ?? 'mine'),
          answers.map((_, i) => (i === winner ? 'mine' : `${winner}`)),
        );
      }
    });

    it('of those that end one packet identifier one did', async () => {
      const id = unique('race');
      await here.inbound.begin(id, 1, 1, { token: 't', begunAtMs: 1 });
      const ended = await Promise.all(stores.map((store) => store.inbound.end(id, 1, 1)));
      assert.equal(ended.filter(Boolean).length, 1);
    });

    it('a session row ends at the highest epoch, in whatever order it was written', async () => {
      const id = unique('race');
      await Promise.allSettled(stores.map((store, i) => store.sessions.put(session(id, i + 1, { sequence: i }))));
      assert.equal((await here.sessions.list(0, id.slice(0, -1), 1))[0]?.epoch, STORES);
    });

    it('a retained topic ends at the newest position, and every row read in between is whole', async () => {
      const topic = unique('race');
      let isWriting = true;
      const reading = (async () => {
        let whole = 0;
        while (isWriting) {
          const { rows } = await here.retained.match(topic, null, 1);
          const payload = rows[0]?.publication?.payload;
          if (payload) assert.equal(payload.at(-1), payload.length % 251);
          whole += rows.length;
        }
        return whole;
      })();
      for (let round = 0; round < 5; round += 1) {
        await Promise.all(
          stores.map((store, i) => {
            const publication = long(400_000 + 100_000 * i);
            return store.retained.put(retained(topic, { position: `${round}${i}`, publication }));
          }),
        );
      }
      isWriting = false;
      assert.ok((await reading) > 0);
      assert.equal((await here.retained.match(topic, null, 1)).rows[0]?.position, `4${STORES - 1}`);
    });

    it('every claim of one shard has an epoch of its own, its answer lost or not', async () => {
      proxy.fail('UpdateItem', 'lose-answer');
      const epochs = await Promise.all([...stores, unlucky].map((store) => store.shards.claim(5, 'w')));
      assert.equal(new Set(epochs).size, STORES + 1);
      const newest = Math.max(...epochs);
      const saves = await Promise.allSettled(epochs.map((epoch) => here.shards.saveCheckpoints(5, epoch, [])));
      assert.ok(saves.every(({ status }, i) => (status === 'fulfilled') === (epochs[i] === newest)));
    });

    it('a long row whose answer is lost keeps its parts', async () => {
      const id = unique('lost');
      const will = { connectionNumber: 1, publication: long(800_000), delayS: 0 };
      proxy.fail('PutItem', 'lose-answer');
      const version = await unlucky.presence.put(presence(id, { will }), 0);
      const there = await here.presence.get(id);
      assert.deepEqual([there?.version, there?.row.will?.publication.payload.length], [version, 800_000]);
    });

    it('a session write whose answer is lost is known again, and the next one follows', async () => {
      const id = unique('lost');
      for (const sequence of [1, 2]) {
        proxy.fail('PutItem', 'lose-answer');
        await unlucky.sessions.put(session(id, 1, { sequence }));
      }
      assert.equal((await here.sessions.list(0, id.slice(0, -1), 1))[0]?.sequence, 2);
    });

    it('what overtook a write whose answer is lost is not undone by its repetition', async () => {
      const id = unique('lost');
      const version = await here.presence.put(presence(id), 0);
      // Held back, then made again by itself; meanwhile another process has taken the row.
      proxy.fail('PutItem', 'late');
      proxy.fail('PutItem', { throttle: 'ThrottlingException' }, 3);
      const put = unlucky.presence.put(presence(id, { edge: 'unlucky' }), version);
      const taken = await here.presence.put(presence(id, { edge: 'here' }), version);
      await assert.rejects(put, { code: 'conflict' });
      await proxy.deliverLate();
      const there = await here.presence.get(id);
      assert.deepEqual([there?.row.edge, there?.version], ['here', taken]);
    });
  });
}
