import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { PortError } from '../../functions/ports/errors.js';
import type {
  CheckpointRow,
  OutboundRow,
  PresenceRow,
  RetainedRow,
  SessionRow,
  Store,
} from '../../functions/ports/store.js';
import { outbound, plain, presence, publication, retained, session } from '../support/store-rows.js';

export interface StoreUnderTest {
  store: Store;
  /** Closes the store and opens what it wrote again. Left out where that proves nothing. */
  reopen?: () => Promise<Store>;
  close(): Promise<void>;
}

const OPTIONS = { qos: 1, noLocal: true, retainAsPublished: false, retainHandling: 2 } as const;
/** Sorted by their UTF-8 bytes; the neighbours share beginnings. */
const TEXTS = ['a', 'a/', 'a0', 'ab', 'b', 'Ω', '\uffee', '😀', '😀'.repeat(9)];
/** More bytes than any store's keys have, alike up to their last character. */
const LONG = ['x', 'y', 'é'].map((end) => `${'ä'.repeat(32_000)}${end}`);

/** Registers what every store must do, on a store of one shard. Each test takes clients, topics and shards of its own. */
export function storeContract(name: string, makeStore: () => Promise<StoreUnderTest>): void {
  describe(`store contract: ${name}`, () => {
    let subject: StoreUnderTest;
    let store: Store;
    let taken = 0;
    const fresh = (): string => `contract-${process.pid}-${++taken}-`;
    const freshShard = (): number => 1_000 + ++taken;

    before(async () => {
      subject = await makeStore();
      store = subject.store;
    });
    after(() => subject.close());

    it('a presence row comes back as it was, with its version', async () => {
      const row = presence(`${fresh()}😀`, {
        will: {
          connectionNumber: 2 ** 40,
          publication: publication('w', { token: 'w1', properties: { contentType: '' } }),
          delayS: 0xffff_ffff,
        },
        leftWills: [{ connectionNumber: 1, publication: publication('left'), delayS: 0 }],
        disconnectedAtMs: 1_790_000_000_123,
      });
      const version = await store.presence.put(row, 0);
      const there = await store.presence.get(row.clientId);
      assert.deepEqual(there && { row: plain(there.row), version: there.version }, { row: plain(row), version });
      assert.equal(await store.presence.get(fresh()), undefined);
    });

    it('a presence row is written and deleted only at the version that is there', async () => {
      const row = presence(fresh());
      const first = await store.presence.put(row, 0);
      await conflicts(store.presence.put(row, 0));
      await conflicts(store.presence.put(row, first + 1));
      const second = await store.presence.put({ ...row, connectionNumber: 2 }, first);
      assert.notEqual(second, first);
      await conflicts(store.presence.put({ ...row, connectionNumber: 3 }, first));
      await conflicts(store.presence.delete(row.clientId, first));
      assert.equal((await store.presence.get(row.clientId))?.row.connectionNumber, 2);
      await store.presence.delete(row.clientId, second);
      await conflicts(store.presence.delete(row.clientId, second));
      await conflicts(store.presence.put(row, second));
      assert.equal(await store.presence.get(row.clientId), undefined);
    });

    it('of presence writes that expect the same version at once one wins', async () => {
      const row = presence(fresh());
      for (const expected of [0, await store.presence.put({ ...row, clientId: fresh() }, 0)]) {
        const clientId = expected === 0 ? row.clientId : `contract-${process.pid}-${taken}-`;
        const puts = Array.from({ length: 20 }, (_, edge) =>
          store.presence.put({ ...row, clientId, edge: `${edge}` }, expected),
        );
        const outcomes = await Promise.allSettled(puts);
        assert.equal(outcomes.filter((outcome) => outcome.status === 'fulfilled').length, 1);
        const winner = outcomes.findIndex((outcome) => outcome.status === 'fulfilled');
        assert.equal((await store.presence.get(clientId))?.row.edge, `${winner}`);
      }
    });

    it('presence rows are listed in order of client identifier, page by page', async () => {
      const prefix = fresh();
      await Promise.all(TEXTS.map((text) => store.presence.put(presence(prefix + text), 0)));
      const seen: string[] = [];
      let after: string | null = prefix;
      while (seen.length < TEXTS.length) {
        const page: { row: PresenceRow }[] = await store.presence.list(0, after, 2);
        assert.ok(page.length === 2 || seen.length + page.length >= TEXTS.length);
        seen.push(...page.map(({ row }) => row.clientId));
        after = seen.at(-1)!;
      }
      assert.deepEqual(
        seen.slice(0, TEXTS.length),
        TEXTS.map((text) => prefix + text),
      );
    });

    it('client identifiers of every length are kept apart', async () => {
      const ids = [...LONG, 'q'.repeat(500), 'q'.repeat(501), 'q'.repeat(1_000), 'q'.repeat(1_001)];
      for (const id of ids) {
        await store.presence.put(presence(id, { edge: id.slice(-3) + id.length }), 0);
        await store.sessions.put(session(id, 1, { sequence: id.length }));
      }
      for (const id of ids) {
        assert.equal((await store.presence.get(id))?.row.clientId, id);
        assert.equal((await store.presence.get(id))?.row.edge, id.slice(-3) + id.length);
      }
      const listed = await everyPage(
        (after) => store.sessions.list(0, after, 3),
        (row) => row.clientId,
      );
      for (const id of ids) assert.equal(listed.filter((row) => row.clientId === id).length, 1);
    });

    it('a session row comes back as it was', async () => {
      const row = session(fresh(), 3, {
        subscriptions: [{ filter: 'a/+/é', options: OPTIONS, since: { 'p-0': 'pos', 'p-1': '' } }],
        retainedDue: [{ filter: '#', options: OPTIONS, sequence: 7, after: null, since: { 'p-0': 'pos' } }],
        sequence: 2 ** 33,
      });
      await store.sessions.put(row);
      const rows = await everyPage(
        (after) => store.sessions.list(0, after, 100),
        (each) => each.clientId,
      );
      assert.deepEqual(
        rows.find((each) => each.clientId === row.clientId),
        row,
      );
    });

    it('a session row gives way to the same epoch and a higher one, never to a lower', async () => {
      const id = fresh();
      const stored = async (): Promise<SessionRow | undefined> => {
        const [row] = await store.sessions.list(0, id.slice(0, -1), 1);
        return row?.clientId === id ? row : undefined;
      };
      await store.sessions.put(session(id, 5, { sequence: 1 }));
      await store.sessions.put(session(id, 5, { sequence: 2 }));
      await conflicts(store.sessions.put(session(id, 4, { sequence: 3 })));
      assert.equal((await stored())?.sequence, 2);
      await store.sessions.put(session(id, 6, { sequence: 4 }));
      await conflicts(store.sessions.put(session(id, 5)));
      await conflicts(store.sessions.delete(id, 9, 5));
      assert.equal((await stored())?.sequence, 4);
      await store.sessions.delete(id, 9, 7);
      assert.equal(await stored(), undefined);
      await store.sessions.delete(id, 9, 1);
    });

    it('session writes made at once are taken in order', async () => {
      const id = fresh();
      const epochs = [1, 3, 2, 3, 4];
      const outcomes = await Promise.allSettled(
        epochs.map((epoch, i) => store.sessions.put(session(id, epoch, { sequence: i }))),
      );
      assert.deepEqual(
        outcomes.map((outcome) => outcome.status === 'fulfilled'),
        [true, true, false, true, true],
      );
      assert.equal((await store.sessions.list(0, id.slice(0, -1), 1))[0]?.sequence, 4);
    });

    it('a session that is taken is written by no lower epoch, whether it had a row or not', async () => {
      const id = fresh();
      const row = session(id, 5, { sequence: 7 });
      await store.sessions.put(row);
      assert.deepEqual(plain(await store.sessions.take(id, 1, 6)), plain({ ...row, epoch: 6 }));
      await conflicts(store.sessions.put(session(id, 5, { sequence: 8 })));
      await conflicts(store.sessions.take(id, 1, 5));
      assert.deepEqual(plain(await store.sessions.take(id, 1, 6)), plain({ ...row, epoch: 6 }));
      await store.sessions.put(session(id, 6, { sequence: 9 }));
      const [stored] = await store.sessions.list(0, id.slice(0, -1), 1);
      assert.equal(stored?.sequence, 9);
      const none = fresh();
      assert.deepEqual(plain(await store.sessions.take(none, 3, 6)), plain(session(none, 6, { generation: 3 })));
      await conflicts(store.sessions.put(session(none, 5)));
      await store.sessions.put(session(none, 6, { sequence: 1 }));
    });

    it('an inbound packet identifier is taken once, until it is ended', async () => {
      const id = fresh();
      const row = { token: 't1', begunAtMs: 1_790_000_000_123 };
      assert.equal(await store.inbound.begin(id, 1, 65_535, row), undefined);
      assert.deepEqual(await store.inbound.begin(id, 1, 65_535, { token: 't2', begunAtMs: 2 }), row);
      assert.equal(await store.inbound.end(id, 1, 1), false);
      assert.equal(await store.inbound.end(id, 1, 65_535), true);
      assert.equal(await store.inbound.end(id, 1, 65_535), false);
      assert.equal(await store.inbound.begin(id, 1, 65_535, { token: 't3', begunAtMs: 3 }), undefined);
    });

    it('of two that begin one packet identifier at once one gets it and the other is told', async () => {
      const id = fresh();
      const rows = ['t1', 't2'].map((token) => ({ token, begunAtMs: 1 }));
      const answers = await Promise.all(rows.map((row) => store.inbound.begin(id, 1, 1, row)));
      const winner = answers.indexOf(undefined);
      assert.deepEqual(answers[1 - winner], rows[winner]);
    });

    it('inbound rows of a generation are listed', async () => {
      const id = fresh();
      const rows = [1, 2, 65_535].map((packetId) => ({
        packetId,
        row: { token: `t${packetId}`, begunAtMs: packetId },
      }));
      for (const { packetId, row } of rows) await store.inbound.begin(id, 2, packetId, row);
      await store.inbound.begin(id, 1, 1, { token: 'older', begunAtMs: 1 });
      await store.inbound.begin(`${id}b`, 2, 1, { token: 'of another', begunAtMs: 1 });
      const listed = await store.inbound.open(id, 2);
      const byToken = (a: { token: string }, b: { token: string }) => a.token.localeCompare(b.token);
      assert.deepEqual([...listed].sort(byToken), rows.map(({ row }) => row).sort(byToken));
      assert.deepEqual(await store.inbound.open(id, 3), []);
    });

    it('an inbound row is forgotten as it was begun, and not where it was begun again', async () => {
      const id = fresh();
      const row = { token: 't', begunAtMs: 1 };
      await store.inbound.begin(id, 1, 1, row);
      await store.inbound.forget(id, 1, 1, { token: 'another', begunAtMs: 1 });
      assert.deepEqual(await store.inbound.begin(id, 1, 1, { token: 't2', begunAtMs: 2 }), row);
      await store.inbound.forget(id, 1, 1, row);
      assert.equal(await store.inbound.end(id, 1, 1), true);
      await store.inbound.begin(id, 1, 1, row);
      await store.inbound.forget(id, 1, 1, row);
      assert.equal(await store.inbound.end(id, 1, 1), false);
      await store.inbound.forget(id, 1, 1, row);
    });

    it('clearing inbound rows spares newer generations and other clients', async () => {
      const id = fresh();
      const row = { token: 't', begunAtMs: 1 };
      for (const [client, generation] of [
        [id, 1],
        [id, 2],
        [id, 256],
        [`${id}b`, 1],
      ] as const) {
        await store.inbound.begin(client, generation, 1, row);
      }
      await store.inbound.begin(id, 2, 65_535, row);
      await store.inbound.clear(id, 2);
      assert.equal(await store.inbound.end(id, 2, 65_535), false);
      assert.equal(await store.inbound.end(id, 1, 1), false);
      assert.equal(await store.inbound.end(id, 2, 1), false);
      assert.equal(await store.inbound.end(id, 256, 1), true);
      assert.equal(await store.inbound.end(`${id}b`, 1, 1), true);
    });

    it('deleting a session row spares that of a newer generation, written or being written', async () => {
      const id = fresh();
      const present = async (): Promise<boolean> =>
        (await store.sessions.list(0, id.slice(0, -1), 1))[0]?.clientId === id;
      await store.sessions.put(session(id, 1, { generation: 2 }));
      await store.sessions.delete(id, 1, 1);
      assert.equal(await present(), true);
      await Promise.all([store.sessions.put(session(id, 1, { generation: 3 })), store.sessions.delete(id, 2, 1)]);
      assert.equal(await present(), true);
      await store.sessions.delete(id, 3, 1);
      assert.equal(await present(), false);
    });

    it('clearing removes what was handed over just before and spares a newer generation written just after', async () => {
      const id = fresh();
      const writes = [store.outbound.put(id, 1, [outbound('s', '1')]), store.outbound.clear(id, 1)];
      writes.push(store.outbound.put(id, 2, [outbound('s', '2')]));
      await Promise.all(writes);
      assert.deepEqual(await store.outbound.read(id, 1, null, 10), []);
      assert.equal((await store.outbound.read(id, 2, null, 10)).length, 1);
    });

    it('outbound rows come back as they were, in order of source, then position', async () => {
      const id = fresh();
      const rows = [
        outbound('p', '1', {
          publication: publication('t', {
            payload: Uint8Array.of(0, 255),
            properties: {
              userProperties: [
                ['a', ''],
                ['a', 'b'],
              ],
            },
          }),
        }),
        outbound('p', '10', { state: 'released', packetId: 65_535, qos: 2, publication: null }),
        outbound('p', '2', { origin: { source: 'x', position: 'y' } }),
        outbound('p0', '0'),
        outbound('pp', ''),
      ];
      await store.outbound.put(id, 1, [...rows].reverse());
      assert.deepEqual(plain(await store.outbound.read(id, 1, null, 10)), plain(rows));
      assert.deepEqual(
        (await store.outbound.read(id, 1, { source: 'p', position: '10' }, 2)).map((row) => row.position),
        ['2', '0'],
      );
      assert.deepEqual(
        (await store.outbound.read(id, 1, { source: 'p', position: '1' }, 1)).map((row) => row.position),
        ['10'],
      );
    });

    it('of rows that are being written a reader sees a beginning, as a crash leaves one', async () => {
      const id = fresh();
      const positions = Array.from({ length: 400 }, (_, i) => String(i).padStart(3, '0'));
      let isWritten = false;
      const puts = Array.from({ length: 4 }, (_, i) => {
        const rows = positions.slice(i * 100, (i + 1) * 100).map((position) => outbound('p', position));
        return store.outbound.put(id, 1, rows);
      });
      const written = Promise.all(puts).then(() => {
        isWritten = true;
      });
      while (!isWritten) {
        const seen = await store.outbound.read(id, 1, null, 1_000);
        assert.deepEqual(
          seen.map(({ position }) => position),
          positions.slice(0, seen.length),
        );
        await new Promise((resolve) => setImmediate(resolve));
      }
      await written;
      assert.equal((await store.outbound.read(id, 1, null, 1_000)).length, 400);
    });

    it('positions that are longer than any key, alike up to their ends, keep their order', async () => {
      const id = fresh();
      const positions = ['é', 'x'].flatMap((letter) =>
        [250, 320, 560, 2_000].flatMap((length) =>
          Array.from({ length: 12 }, (_, i) => `${letter.repeat(length)}@${`${i}`.padStart(12, '0')}.0000~s1`),
        ),
      );
      await store.outbound.put(
        id,
        1,
        positions.map((position) => outbound('!h1', position)),
      );
      const read = await everyPage<OutboundRow, OutboundRow>(
        (after) => store.outbound.read(id, 1, after, 7),
        (row) => row,
      );
      const beginnings = [...new Set(positions.map((position) => position.split('@')[0]))];
      for (const beginning of beginnings) {
        assert.deepEqual(
          read.map(({ position }) => position).filter((position) => position.startsWith(`${beginning}@`)),
          positions.filter((position) => position.startsWith(`${beginning}@`)),
        );
      }
      await store.outbound.remove(id, 1, read);
      assert.deepEqual(await store.outbound.read(id, 1, null, 1), []);
    });

    it('outbound rows are replaced and removed by their key', async () => {
      const id = fresh();
      await store.outbound.put(id, 1, [outbound('p', '1'), outbound('p', '2')]);
      await store.outbound.put(id, 1, [outbound('p', '1', { state: 'sent', packetId: 9 })]);
      await store.outbound.remove(id, 1, [
        { source: 'p', position: '2' },
        { source: 'p', position: '3' },
      ]);
      assert.deepEqual(
        (await store.outbound.read(id, 1, null, 10)).map((row) => [row.position, row.packetId]),
        [['1', 9]],
      );
    });

    it('outbound rows of clients and generations do not mix', async () => {
      const id = fresh();
      const places = [
        [id, 1],
        [id, 2],
        [id, 256],
        [`${id}b`, 1],
        [`${id}/`, 1],
      ] as const;
      for (const [client, generation] of places) {
        await store.outbound.put(client, generation, [outbound('p', `${client}${generation}`)]);
      }
      for (const [client, generation] of places) {
        const rows = await store.outbound.read(client, generation, null, 10);
        assert.deepEqual(
          rows.map((row) => row.position),
          [`${client}${generation}`],
        );
      }
      await store.outbound.clear(id, 2);
      const left = await Promise.all(
        places.map(async (at) => (await store.outbound.read(at[0], at[1], null, 10)).length),
      );
      assert.deepEqual(left, [0, 0, 1, 1, 1]);
    });

    it('the generations of a client that have rows are told, oldest first, up to one', async () => {
      const id = fresh();
      assert.deepEqual(await store.outbound.generations(id, 9_007_199_254), []);
      for (const generation of [256, 1, 4_294_967_296, 2]) {
        await store.outbound.put(id, generation, [outbound('p', '1'), outbound('q', '2')]);
      }
      await store.outbound.put(`${id}b`, 3, [outbound('p', '1')]);
      await store.outbound.remove(id, 2, [outbound('p', '1'), outbound('q', '2')]);
      assert.deepEqual(await store.outbound.generations(id, 4_294_967_295), [1, 256]);
      assert.deepEqual(await store.outbound.generations(id, 4_294_967_296), [1, 256, 4_294_967_296]);
      assert.deepEqual(await store.outbound.generations(id, 0), []);
    });

    it('a queue of 2,500 rows is read in pages of up to 1,000 and cleared', async () => {
      const id = fresh();
      const rows = Array.from({ length: 2_500 }, (_, i) => outbound('p', `${i}`.padStart(5, '0')));
      await store.outbound.put(id, 1, rows);
      const seen: OutboundRow[] = [];
      for (;;) {
        const page = await store.outbound.read(id, 1, seen.at(-1) ?? null, 1_000);
        if (page.length === 0) break;
        assert.ok(page.length <= 1_000);
        seen.push(...page);
      }
      assert.deepEqual(
        seen.map((row) => row.position),
        rows.map((row) => row.position),
      );
      await store.outbound.clear(id, 1);
      assert.deepEqual(await store.outbound.read(id, 1, null, 1), []);
    });

    it('a retained row is replaced only by a newer one: layout first, then position', async () => {
      const topic = fresh();
      const puts = [
        [1, 'b', true],
        [1, 'b', false],
        [1, 'a', false],
        [1, 'c', true],
        [2, 'a', true],
        [1, 'z', false],
      ] as const;
      for (const [layout, position, wrote] of puts) {
        assert.equal(await store.retained.put(retained(topic, { layout, position })), wrote, `${layout} ${position}`);
      }
      const { rows } = await matchAll(store, topic);
      assert.deepEqual(plain(rows), plain([retained(topic, { layout: 2, position: 'a' })]));
    });

    it('retained writes made at once end with the newest', async () => {
      const topic = fresh();
      const positions = ['3', '1', '5', '2', '5', '4'];
      const wrote = await Promise.all(positions.map((position) => store.retained.put(retained(topic, { position }))));
      assert.equal(wrote[2] !== wrote[4], true);
      assert.deepEqual(
        (await matchAll(store, topic)).rows.map((row) => row.position),
        ['5'],
      );
    });

    it('a cleared topic is not matched, and an older write does not bring it back', async () => {
      const topic = fresh();
      await store.retained.put(retained(topic, { position: '1' }));
      assert.equal(await store.retained.put(retained(topic, { position: '3', publication: null })), true);
      assert.equal(await store.retained.put(retained(topic, { position: '2' })), false);
      assert.deepEqual((await matchAll(store, topic)).rows, []);
      assert.equal(await store.retained.put(retained(topic, { position: '4' })), true);
      assert.equal((await matchAll(store, topic)).rows.length, 1);
    });

    it('filters match the retained topics that they should, in order', async () => {
      const base = fresh();
      const topics = [base, `${base}/`, `${base}/a`, `${base}/a/b`, `${base}/Ω`, `${base}b`, `$${base}`];
      await Promise.all(topics.map((topic) => store.retained.put(retained(topic))));
      const matched = async (filter: string): Promise<string[]> =>
        (await matchAll(store, filter)).rows.map((row) => row.topic);
      assert.deepEqual(await matched(`${base}/#`), [base, `${base}/`, `${base}/a`, `${base}/a/b`, `${base}/Ω`]);
      assert.deepEqual(await matched(`${base}/+`), [`${base}/`, `${base}/a`, `${base}/Ω`]);
      assert.deepEqual(await matched(`${base}/+/b`), [`${base}/a/b`]);
      assert.deepEqual(await matched(`${base}/a`), [`${base}/a`]);
      assert.deepEqual(await matched(`$${base}/#`), [`$${base}`]);
      const all = await matched('#');
      assert.equal(all.includes(`$${base}`), false);
      assert.deepEqual(all.filter((topic) => topic === base || topic.startsWith(`${base}/`)).length, 5);
    });

    it('retained matches come in pages, each row once', async () => {
      const base = fresh();
      const topics = Array.from({ length: 2_300 }, (_, i) => `${base}/${`${i}`.padStart(5, '0')}`);
      const put = (topic: string, i: number) => store.retained.put(retained(topic, i % 7 ? {} : { publication: null }));
      for (let i = 0; i < topics.length; i += 460) {
        await Promise.all(topics.slice(i, i + 460).map((topic, j) => put(topic, i + j)));
      }
      const { rows, calls } = await matchAll(store, `${base}/#`, 100);
      assert.deepEqual(
        rows.map((row) => row.topic),
        topics.filter((_, i) => i % 7),
      );
      assert.ok(calls >= 20);
    });

    it('retained topics of every length are matched, each once', async () => {
      await Promise.all(LONG.map((topic) => store.retained.put(retained(topic, { partition: topic.slice(-1) }))));
      for (const topic of LONG) {
        assert.deepEqual(
          (await matchAll(store, topic)).rows.map((row) => row.partition),
          [topic.slice(-1)],
        );
      }
      const { rows } = await matchAll(store, '+', 1);
      for (const topic of LONG) assert.equal(rows.filter((row) => row.topic === topic).length, 1);
    });

    it('rows of megabytes come back as they were, and give way to short ones', async () => {
      const id = fresh();
      const payload = Uint8Array.from({ length: 1_000_000 }, (_, i) => (i * 7) % 251);
      const long = publication('t', {
        payload,
        properties: { correlationData: Buffer.from(payload.subarray(0, 999)) },
      });
      const will = { connectionNumber: 1, publication: long, delayS: 0 };
      const version = await store.presence.put(presence(id, { will }), 0);
      await store.outbound.put(id, 1, [outbound('p', '1', { publication: long })]);
      await store.retained.put(retained(id, { publication: long }));
      assert.deepEqual(plain((await store.presence.get(id))?.row.will), plain(will));
      const [queued] = await store.outbound.read(id, 1, null, 1);
      assert.deepEqual(plain(queued?.publication), plain(long));
      for (const filter of [id, `${id}/#`]) {
        const { rows } = await matchAll(store, filter);
        assert.deepEqual(plain(rows[0]?.publication), plain(long));
      }
      await store.presence.put(presence(id, { edge: 'short' }), version);
      await store.outbound.put(id, 1, [outbound('p', '1', { state: 'done', publication: null })]);
      await store.retained.put(retained(id, { position: '2' }));
      assert.equal((await store.presence.get(id))?.row.edge, 'short');
      assert.equal((await store.outbound.read(id, 1, null, 1))[0]?.state, 'done');
      assert.equal((await matchAll(store, `${id}/#`)).rows[0]?.position, '2');
    });

    it('a session of 10,000 filters comes back as it was, and changes as a whole', async () => {
      const id = fresh();
      const since = { 'persistent://public/default/mqtt-partition-0': '0000000000012345.0000000000.0000' };
      const subscriptions = Array.from({ length: 10_000 }, (_, i) => ({
        filter: `devices/${i}/+/temperature`,
        options: OPTIONS,
        since,
      }));
      const stored = async (): Promise<SessionRow | undefined> => (await store.sessions.list(0, id.slice(0, -1), 1))[0];
      await store.sessions.put(session(id, 1, { subscriptions }));
      assert.deepEqual(await stored(), session(id, 1, { subscriptions }));
      const writes = [2, 3].map((sequence) =>
        store.sessions.put(session(id, 1, { sequence, subscriptions: subscriptions.slice(sequence) })),
      );
      for (let i = 0; i < 5; i += 1) {
        const row = await stored();
        assert.equal(row?.subscriptions.length, 10_000 - row!.sequence);
      }
      await Promise.all(writes);
      assert.deepEqual(await stored(), session(id, 1, { sequence: 3, subscriptions: subscriptions.slice(3) }));
      await store.sessions.delete(id, 1, 1);
      assert.notEqual((await stored())?.clientId, id);
    });

    it('a page is short only where the rows end, however large they are', async () => {
      const id = fresh();
      const payload = new Uint8Array(200_000);
      const rows = Array.from({ length: 15 }, (_, i) =>
        outbound('p', `${i}`.padStart(2, '0'), { publication: publication('t', { payload }) }),
      );
      await store.outbound.put(id, 1, rows);
      assert.equal((await store.outbound.read(id, 1, null, 14)).length, 14);
      assert.equal((await store.outbound.read(id, 1, null, 16)).length, 15);
    });

    it('writes of one row that are made at once take effect in the order of the calls', async () => {
      const id = fresh();
      const at = { source: 'p', position: '1' };
      const rows = [1, 2, 3].map((packetId) => outbound('p', '1', { packetId, state: 'sent' }));
      await Promise.all([
        ...rows.map((row) => store.outbound.put(id, 1, [row])),
        store.outbound.put(id, 1, [outbound('p', '2')]),
        store.outbound.remove(id, 1, [{ source: 'p', position: '2' }]),
        store.outbound.remove(id, 1, [at]),
        store.outbound.put(id, 1, [rows[1]!]),
      ]);
      const there = await store.outbound.read(id, 1, null, 10);
      assert.deepEqual(
        there.map((row) => [row.position, row.packetId]),
        [['1', 2]],
      );
    });

    it('of rows with one key in one call the last stays', async () => {
      const id = fresh();
      await store.outbound.put(id, 1, [outbound('p', '1', { packetId: 1 }), outbound('p', '1', { packetId: 2 })]);
      await store.outbound.remove(id, 1, []);
      await store.outbound.put(id, 1, []);
      assert.equal((await store.outbound.read(id, 1, null, 10))[0]?.packetId, 2);
    });

    it('an inbound packet identifier that is ended, begun and cleared at once is free in the end', async () => {
      const id = fresh();
      const row = { token: 't', begunAtMs: 1 };
      const answers = await Promise.all([
        store.inbound.begin(id, 1, 1, row),
        store.inbound.begin(id, 1, 2, row),
        store.inbound.end(id, 1, 1),
        store.inbound.begin(id, 1, 1, row),
        store.inbound.clear(id, 1),
      ]);
      assert.deepEqual(answers, [undefined, undefined, true, undefined, undefined]);
      assert.equal(await store.inbound.end(id, 1, 1), false);
      assert.equal(await store.inbound.end(id, 1, 2), false);
    });

    it('retained topics come in the order of their bytes, and after a topic that may not exist', async () => {
      const base = fresh();
      const topics = ['', '!', '!/a', '/', '/a', '/a!', '0/a', '/Ω', '/\uffee', '/😀'].map((end) => base + end);
      await Promise.all(topics.map((topic) => store.retained.put(retained(topic))));
      const sorted = [...topics].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      const ours = (await matchAll(store, '#', 3)).rows
        .map((row) => row.topic)
        .filter((topic) => topic.startsWith(base));
      assert.deepEqual(ours, sorted);
      const { rows } = await store.retained.match(`${base}/#`, `${base}/a/x`, 100);
      assert.deepEqual(
        rows.map((row) => row.topic),
        ['/Ω', '/\uffee', '/😀'].map((end) => base + end),
      );
      assert.deepEqual(await store.retained.match(base, base, 100), { rows: [], next: null });
    });

    it('a wildcard in the middle finds the few among many', async () => {
      const base = fresh();
      const topics = Array.from({ length: 40 }, (_, device) =>
        Array.from({ length: 10 }, (_, i) => `${base}/${device}/${i}/x`).concat(`${base}/${device}/status`),
      ).flat();
      await Promise.all(topics.map((topic) => store.retained.put(retained(topic))));
      for (const filter of [`${base}/+/status`, `${base}/+/3/+`, `${base}/+/9/#`]) {
        const { rows } = await matchAll(store, filter, 7);
        assert.equal(rows.length, 40, filter);
        assert.equal(new Set(rows.map((row) => row.topic)).size, 40);
      }
    });

    it('every claim of a shard gets a higher epoch', async () => {
      const shard = freshShard();
      const epochs = [await store.shards.claim(shard, 'a'), await store.shards.claim(shard, 'a')];
      epochs.push(
        ...(await Promise.all(['b', 'c', 'd'].map((owner) => store.shards.claim(shard, owner)))).sort((a, b) => a - b),
      );
      assert.deepEqual(
        epochs,
        [...new Set(epochs)].sort((a, b) => a - b),
      );
    });

    it('checkpoints are saved by the newest owner only', async () => {
      const shard = freshShard();
      const row: CheckpointRow = { partition: 'p-0', low: null, done: ['b', 'd'] };
      await conflicts(store.shards.saveCheckpoints(shard, 1, [row]));
      const epoch = await store.shards.claim(shard, 'a');
      assert.deepEqual(await store.shards.checkpoints(shard), []);
      await store.shards.saveCheckpoints(shard, epoch, [row, { partition: 'p-1', low: 'x', done: [] }]);
      await store.shards.saveCheckpoints(shard, epoch, [{ ...row, low: 'a' }]);
      const next = await store.shards.claim(shard, 'b');
      await conflicts(store.shards.saveCheckpoints(shard, epoch, [{ ...row, low: 'z' }]));
      await store.shards.saveCheckpoints(shard, next, []);
      const rows = (await store.shards.checkpoints(shard)).sort((a, b) => (a.partition < b.partition ? -1 : 1));
      assert.deepEqual(rows, [
        { ...row, low: 'a' },
        { partition: 'p-1', low: 'x', done: [] },
      ]);
      assert.deepEqual(await store.shards.checkpoints(shard + 500_000), []);
    });

    it('a store that can be reached says so', () => store.check());

    it('everything is there after reopening', async (t) => {
      if (!subject.reopen) return t.skip('this store outlives its client');
      const id = fresh();
      const shard = freshShard();
      const version = await store.presence.put(presence(id), 0);
      await store.sessions.put(session(id, 9));
      await store.inbound.begin(id, 1, 1, { token: 't', begunAtMs: 1 });
      await store.outbound.put(id, 1, [outbound('p', '1')]);
      await store.retained.put(retained(id));
      const epoch = await store.shards.claim(shard, 'a');
      store = await subject.reopen();
      assert.equal((await store.presence.get(id))?.version, version);
      assert.ok((await store.presence.put(presence(id), version)) > version);
      await conflicts(store.sessions.put(session(id, 8)));
      assert.equal(await store.inbound.end(id, 1, 1), true);
      assert.equal((await store.outbound.read(id, 1, null, 10)).length, 1);
      assert.equal(await store.retained.put(retained(id)), false);
      await store.shards.saveCheckpoints(shard, epoch, []);
    });

    it('a closed store rejects with gone', async (t) => {
      if (!subject.reopen) return t.skip('the store is shared with the other tests');
      await store.close();
      await assert.rejects(store.check(), { code: 'gone' });
      await assert.rejects(store.presence.get('x'), { code: 'gone' });
      await assert.rejects(store.presence.put(presence('x'), 0), { code: 'gone' });
      await assert.rejects(store.retained.match('#', null, 1), { code: 'gone' });
      store = await subject.reopen();
    });
  });
}

async function conflicts(promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, (error) => error instanceof PortError && error.code === 'conflict');
}

async function matchAll(store: Store, filter: string, limit = 1_000): Promise<{ rows: RetainedRow[]; calls: number }> {
  const rows: RetainedRow[] = [];
  let after: string | null = null;
  for (let calls = 1; ; calls++) {
    const page: { rows: RetainedRow[]; next: string | null } = await store.retained.match(filter, after, limit);
    assert.ok(page.rows.length <= limit);
    rows.push(...page.rows);
    if (page.next === null) return { rows, calls };
    after = page.next;
  }
}

async function everyPage<T, K = string>(page: (after: K | null) => Promise<T[]>, key: (row: T) => K): Promise<T[]> {
  const rows: T[] = [];
  for (;;) {
    const last = rows.at(-1);
    const more = await page(last === undefined ? null : key(last));
    if (more.length === 0) return rows;
    rows.push(...more);
  }
}
