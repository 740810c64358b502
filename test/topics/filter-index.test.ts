import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { FilterIndex } from '../../functions/topics/filter-index.js';
import { filterMatches } from '../../functions/topics/filter-match.js';
import { randomOf } from '../support/random.js';

type Visit = [subscriber: string, value: number, filter: string];

function visits(index: FilterIndex<string, number>, topic: string): Visit[] {
  const found: Visit[] = [];
  index.match(topic, (subscriber, value, filter) => found.push([subscriber, value, filter]));
  return sorted(found);
}

function sorted(found: Visit[]): Visit[] {
  return found.sort((a, b) => (String(a) < String(b) ? -1 : 1));
}

test('a subscriber is visited once for each of its filters that match', () => {
  const index = new FilterIndex<string, number>();
  for (const [i, filter] of ['a/b', 'a/+', 'a/#', '#', '+/b', 'a/b/#', 'a/c', 'a'].entries()) index.set(filter, 's', i);
  assert.deepEqual(
    visits(index, 'a/b'),
    sorted([
      ['s', 0, 'a/b'],
      ['s', 1, 'a/+'],
      ['s', 2, 'a/#'],
      ['s', 3, '#'],
      ['s', 4, '+/b'],
      ['s', 5, 'a/b/#'],
    ]),
  );
});

for (const filter of ['a/b', 'a/+']) {
  test(`subscribers of ${filter} come and go in any order`, () => {
    for (const order of ['xyz', 'xzy', 'yxz', 'yzx', 'zxy', 'zyx']) {
      const index = new FilterIndex<string, number>();
      assert.deepEqual(
        [...'xyz'].map((subscriber, i) => index.set(filter, subscriber, i)),
        [true, true, true],
      );
      assert.deepEqual([index.size, index.filters], [3, 1]);
      const left = new Set('xyz');
      for (const subscriber of order) {
        assert.equal(index.delete(filter, subscriber), true);
        assert.equal(index.delete(filter, subscriber), false);
        left.delete(subscriber);
        assert.deepEqual(
          visits(index, 'a/b')
            .map(([name]) => name)
            .join(''),
          [...left].join(''),
        );
      }
      assert.deepEqual([index.size, index.filters], [0, 0]);
    }
  });

  test(`a second set of ${filter} replaces the value and is not new`, () => {
    const index = new FilterIndex<string, number>();
    for (const subscriber of ['x', 'y']) {
      assert.equal(index.set(filter, subscriber, 1), true);
      assert.equal(index.set(filter, subscriber, 2), false);
    }
    assert.deepEqual(visits(index, 'a/b'), [
      ['x', 2, filter],
      ['y', 2, filter],
    ]);
    assert.equal(index.size, 2);
  });
}

test('subscribers are told apart by identity', () => {
  const index = new FilterIndex<{ name: string }, number>();
  assert.equal(index.set('a', { name: 'x' }, 1), true);
  assert.equal(index.set('a', { name: 'x' }, 1), true);
  assert.equal(index.delete('a', { name: 'x' }), false);
  assert.equal(index.size, 2);
});

test('the index agrees with filterMatches, whatever is set and deleted', () => {
  for (let seed = 1; seed <= 40; seed += 1) compareWithModel(seed, 2_000);
});

/** Against a plain list of filters that each topic is held against. */
function compareWithModel(seed: number, steps: number): void {
  const random = randomOf(seed);
  const index = new FilterIndex<string, number>();
  const model = new Map<string, Visit>();
  // Grows and shrinks in turn, so that nodes are made and unmade.
  for (let step = 0; step < steps; step += 1) {
    const deletes = Math.floor(step / 400) % 2 === 1 ? 8 : 2;
    const filter = randomText(random, true);
    const subscriber = 'xyz'[random(3)]!;
    const key = `${subscriber} ${filter}`;
    if (random(10) >= deletes) {
      assert.equal(index.set(filter, subscriber, step), !model.has(key));
      model.set(key, [subscriber, step, filter]);
    } else if (random(2) === 0) {
      assert.equal(index.delete(filter, subscriber), model.delete(key));
    } else if (model.size > 0) {
      const [known, [name, , text]] = [...model][random(model.size)]!;
      assert.equal(index.delete(text, name), true);
      model.delete(known);
    }
    assert.equal(index.size, model.size);
    if (step % 10 !== 0) continue;
    const entries = [...model.values()];
    assert.equal(index.filters, new Set(entries.map(([, , text]) => text)).size);
    const topic = randomText(random, false);
    const expected = entries.filter(([, , text]) => filterMatches(text, topic));
    assert.deepEqual(visits(index, topic), sorted(expected), `seed ${seed}, step ${step}, topic ${topic}`);
  }
  for (const [subscriber, , filter] of model.values()) assert.equal(index.delete(filter, subscriber), true);
  assert.deepEqual([index.size, index.filters, visits(index, 'a/b')], [0, 0, []]);
}

/** Few texts per level, so that filters share prefixes; empty levels, `$`, and levels that begin alike among them. */
function randomText(random: (below: number) => number, wild: boolean): string {
  const levels: string[] = [];
  for (let left = 1 + random(5); left > 0; left -= 1) {
    const kind = random(10);
    if (wild && kind === 0 && left === 1) levels.push('#');
    else if (wild && kind < 3) levels.push('+');
    else levels.push(['a', 'ab', 'b', '', '$a', 'a level of more than thirteen'][random(6)]!);
  }
  return levels.join('/') || '/';
}

test('topics and filters of thousands of levels are matched', () => {
  const index = new FilterIndex<string, number>();
  const deep = 'a/'.repeat(20_000);
  for (let i = 0; i < 20; i += 1) index.set(`${deep}+/${i}`, 's', i);
  index.set(`${'+/'.repeat(20_000)}#`, 's', 20);
  assert.deepEqual(
    visits(index, `${deep}x/7`).map(([, value]) => value),
    [20, 7],
  );
  for (let i = 0; i < 20; i += 1) assert.equal(index.delete(`${deep}+/${i}`, 's'), true);
  assert.equal(visits(index, `${deep}x/7`).length, 1);
});

test('filters that differ by empty levels at their end are told apart', () => {
  const index = new FilterIndex<string, number>();
  for (let i = 0; i < 20; i += 1) index.set(`+${'/'.repeat(i)}`, 's', i);
  for (let i = 0; i < 20; i += 1) assert.deepEqual(visits(index, `a${'/'.repeat(i)}`).length, 1);
});

/** Twenty filters to a prefix, so that each prefix needs nodes of its own. */
const PREFIXES = 12_000;

function fill(index: FilterIndex<string, number>, kept: (i: number) => boolean, act: 'set' | 'delete'): void {
  for (let i = 0; i < PREFIXES * 20; i += 1) {
    if (!kept(i)) continue;
    for (const filter of [`${i % PREFIXES}/x/+/${i}`, `${i}/y`]) {
      if (act === 'set') index.set(filter, 's', i);
      else index.delete(filter, 's');
    }
  }
}

test('deleting everything gives the memory back', () => {
  const index = new FilterIndex<string, number>();
  const before = heapBytes();
  fill(index, () => true, 'set');
  const filled = heapBytes() - before;
  fill(index, () => true, 'delete');
  const left = heapBytes() - before;
  assert.ok(filled > 10_000_000, `${filled} bytes filled`);
  assert.ok(left < 1_000_000, `${left} bytes left`);
  assert.deepEqual([index.size, index.filters], [0, 0]);
});

test('an index that has shrunk is hardly larger than one that never was larger', () => {
  const isKept = (i: number) => i < PREFIXES;
  const bytesOf = (build: (index: FilterIndex<string, number>) => void) => {
    const before = heapBytes();
    const index = new FilterIndex<string, number>();
    build(index);
    const bytes = heapBytes() - before;
    assert.equal(index.size, 2 * PREFIXES);
    return bytes;
  };
  const small = bytesOf((index) => fill(index, isKept, 'set'));
  const shrunk = bytesOf((index) => {
    fill(index, () => true, 'set');
    fill(index, (i) => !isKept(i), 'delete');
  });
  assert.ok(shrunk < small * 1.6, `${shrunk} bytes after shrinking, ${small} without`);
});

test('a deleted filter is not kept alive by a level that others share with it', () => {
  const index = new FilterIndex<string, number>();
  const before = heapBytes();
  for (let i = 0; i < 200; i += 1) {
    const long = flat(`device-number-${i}/+/${'x'.repeat(50_000)}`);
    index.set(long, 's', i);
    index.set(flat(`device-number-${i}/+/y`), 's', i);
    index.delete(long, 's');
  }
  const left = heapBytes() - before;
  assert.ok(left < 1_000_000, `${left} bytes left`);
  assert.equal(visits(index, 'device-number-7/z/y').length, 1);
});

function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

/** In one piece of its own, as the decoder makes it. */
function flat(text: string): string {
  return Buffer.from(text).toString();
}
