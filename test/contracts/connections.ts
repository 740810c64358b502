import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConnectionStore, GatewayRow } from '../../functions/ports/connections.js';
import { PortError } from '../../functions/ports/errors.js';
import { unique } from '../support/waiting.js';

const row = (id: string, more: Partial<GatewayRow> = {}): GatewayRow => ({
  id,
  state: { text: 'ü', bytes: new Uint8Array([0, 255]), list: [1, null], none: null },
  frames: 1,
  answer: new Uint8Array([1, 2, 3]),
  partsFrom: 0,
  partsBytes: 0,
  heardAtMs: 1_700_000_000_000,
  peer: '192.0.2.1',
  token: `${id}.secret`,
  tokenTold: true,
  ...more,
});

const conflict = (error: unknown) => error instanceof PortError && error.code === 'conflict';

/** Bytes of any kind as what they hold. */
const plain = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, each) => (each instanceof Uint8Array ? [...each] : each)));

/** What every `ConnectionStore` does. */
export function connectionStoreContract(name: string, store: ConnectionStore): void {
  test(`${name}: a row comes back as it was put`, async () => {
    const id = unique('connection=');
    assert.equal(await store.get(id), undefined);
    const version = await store.put(row(id), 0);
    const found = await store.get(id);
    assert.equal(found?.version, version);
    // A Buffer is JSON of its own.
    const answer = new Uint8Array(found?.row.answer ?? []);
    assert.deepEqual(answer, new Uint8Array([1, 2, 3]));
    const state = found?.row.state as { bytes: Uint8Array; text: string };
    assert.deepEqual([...state.bytes], [0, 255]);
    assert.deepEqual(
      plain({ ...found?.row, answer: 0, state: state.text }),
      plain({ ...row(id), answer: 0, state: 'ü' }),
    );
  });

  test(`${name}: a row is written where it is as expected, and else not`, async () => {
    const id = unique('connection=');
    const version = await store.put(row(id), 0);
    await assert.rejects(store.put(row(id, { frames: 2 }), 0), conflict);
    await assert.rejects(store.put(row(id, { frames: 2 }), version + 1), conflict);
    assert.equal((await store.get(id))?.row.frames, 1);
    await store.put(row(id, { frames: 2 }), version);
    assert.equal((await store.get(id))?.row.frames, 2);
  });

  test(`${name}: of several writers at once one wins`, async () => {
    const id = unique('connection=');
    const version = await store.put(row(id), 0);
    const writes = Array.from({ length: 5 }, (_, i) => store.put(row(id, { frames: 10 + i }), version));
    const results = await Promise.allSettled(writes);
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
    const won = results.findIndex(({ status }) => status === 'fulfilled');
    assert.equal((await store.get(id))?.row.frames, 10 + won);
  });

  test(`${name}: a row moves whole, or not at all`, async () => {
    const [from, to, late] = [unique('from='), unique('to='), unique('late=')];
    const version = await store.put(row(from), 0);
    await store.put(row(to, { state: null, frames: 0 }), 0);
    const moved = await store.move(row(to), from, version);
    assert.equal(await store.get(from), undefined);
    assert.equal((await store.get(to))?.version, moved);
    await assert.rejects(store.move(row(late), from, version), conflict);
    assert.equal(await store.get(late), undefined);
    await assert.rejects(store.move(row(late), to, moved + 1), conflict);
    assert.equal((await store.get(to))?.version, moved);
    await store.put(row(to, { frames: 9 }), moved);
  });

  test(`${name}: parts come back in order, and go with the connection`, async () => {
    const [id, other] = [unique('connection='), unique('connection=')];
    await store.put(row(id), 0);
    const large = new Uint8Array(24_000).fill(7);
    for (const frame of [2, 10, 9, 1]) await store.putPart(id, frame, frame === 9 ? large : new Uint8Array([frame]));
    await store.putPart(other, 9, new Uint8Array([99]));
    const lengths = async (first: number, last: number) =>
      (await store.parts(id, first, last)).map((bytes) => (bytes.length === 1 ? bytes[0] : bytes.length));
    assert.deepEqual(await lengths(2, 10), [2, 24_000, 10]);
    assert.deepEqual(await lengths(9, 9), [24_000]);
    await store.putPart(id, 2, new Uint8Array([22]));
    assert.deepEqual(await lengths(1, 2), [1, 22]);
    assert.deepEqual((await Promise.all([store.delete(id), store.delete(id)])).sort(), [false, true]);
    assert.equal(await store.get(id), undefined);
    assert.deepEqual(await lengths(1, 10), []);
    assert.deepEqual(
      (await store.parts(other, 1, 10)).map((bytes) => [...bytes]),
      [[99]],
    );
    await store.delete(id);
  });
}
