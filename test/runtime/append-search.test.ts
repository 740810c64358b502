import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FindWhen, Log, Receipt, Sought } from '../../functions/ports/log.js';
import { AppendSearch } from '../../functions/runtime/append-search.js';

const RECEIPT: Receipt = { partition: 't-0', position: '1' };

/** Says of every second one that it is there, and counts how often it was read. */
class Reads {
  readonly calls: { values: string[]; when: FindWhen }[] = [];
  readonly search = new AppendSearch({ find: this.#find.bind(this) } as unknown as Log, 'token');

  async #find(_topic: string, _name: string, sought: readonly Sought[], when: FindWhen) {
    const values = sought.map(({ value }) => value);
    this.calls.push({ values, when });
    return new Map(values.filter((value) => Number(value) % 2 === 0).map((value) => [value, RECEIPT]));
  }

  ask(value: number, isOwn = true): Promise<Receipt | undefined> {
    return this.search.find('t', { key: 'k', value: String(value), sinceMs: 100 + value, isOwn });
  }

  doubt(value: number): void {
    this.search.doubt('t', { key: 'k', value: String(value), sinceMs: 100 + value });
  }
}

test('what this process left in doubt is read for once, however its clients ask', async () => {
  const reads = new Reads();
  for (let value = 0; value < 200; value += 1) reads.doubt(value);
  for (let value = 199; value >= 0; value -= 1) {
    assert.deepEqual(await reads.ask(value), value % 2 === 0 ? RECEIPT : undefined);
  }
  assert.equal(reads.calls.length, 1);
  assert.deepEqual(reads.calls[0]?.when, { sinceMs: 100, lastMs: 299, isOwn: true });
});

test('an answer is given once: what was appended after it is in doubt anew', async () => {
  const reads = new Reads();
  reads.doubt(1);
  reads.doubt(2);
  await reads.ask(2);
  assert.equal(await reads.ask(1), undefined);
  assert.equal(reads.calls.length, 1);
  reads.doubt(1);
  await reads.ask(1);
  await reads.ask(1);
  assert.equal(reads.calls.length, 3);
});

test('what another process may have appended is always read for', async () => {
  const reads = new Reads();
  for (const value of [2, 4]) reads.doubt(value);
  await reads.ask(2, false);
  await reads.ask(4, false);
  assert.deepEqual(
    reads.calls.map(({ when }) => when.isOwn),
    [false, false],
  );
});

test('a reading that failed settles nothing', async () => {
  const reads = new Reads();
  reads.doubt(1);
  reads.doubt(2);
  let isDown = true;
  const failing = new AppendSearch(
    {
      find: async () => {
        if (isDown) throw new Error('down');
        return new Map([['2', RECEIPT]]);
      },
    } as unknown as Log,
    'token',
  );
  const sought = (value: string) => ({ key: 'k', value, sinceMs: 1 });
  for (const value of ['1', '2']) failing.doubt('t', sought(value));
  await assert.rejects(failing.find('t', { ...sought('1'), isOwn: true }), /down/);
  isDown = false;
  assert.equal(await failing.find('t', { ...sought('2'), isOwn: true }), RECEIPT);
});

test('what else of a client another process may have appended is read for along with the first', async () => {
  const reads = new Reads();
  let asked = 0;
  const alike = async () => {
    asked += 1;
    return [1, 2, 3, 4].map((value) => ({ value: String(value), sinceMs: 100 + value, lastMs: 200 + value }));
  };
  const ask = (value: number, lastMs = 200 + value) =>
    reads.search.find('t', { key: 'k', value: String(value), sinceMs: 100 + value, lastMs, isOwn: false }, alike);
  for (const value of [1, 2, 3, 4]) assert.deepEqual(await ask(value), value % 2 === 0 ? RECEIPT : undefined);
  assert.equal(asked, 1);
  assert.deepEqual(
    reads.calls.map(({ when }) => when),
    [{ sinceMs: 101, lastMs: 204, isOwn: false }],
  );
  // An answer is given once, and not where somebody has tried it again.
  await ask(3);
  assert.equal(reads.calls.length, 2);
  await ask(1, 300);
  assert.equal(reads.calls.length, 3);
});
