import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecentRetained } from '../../functions/fan-out/recent-retained.js';
import type { RetainedRow } from '../../functions/ports/store.js';

function row(topic: string, position: string, payload = position, layout = 0): RetainedRow {
  const publication = {
    topic,
    payload: Buffer.from(payload),
    qos: 0,
    retain: true,
    publisher: '',
    publishedAtMs: 0,
  } as const;
  return { topic, layout, partition: 'p', position, publication: payload === '' ? null : publication };
}

function seen(...rows: RetainedRow[]): RecentRetained {
  const recent = new RecentRetained();
  for (const one of rows) recent.see([one], 0);
  return recent;
}

/** Topic and position of each row, in order of topic. */
function places(rows: readonly RetainedRow[]): string[] {
  return rows.map(({ topic, position }) => `${topic} ${position}`).sort();
}

test('what was seen later than its row replaces it', () => {
  assert.deepEqual(places(seen(row('a', '2')).overlay([row('a', '1')], '#', null, null)), ['a 2']);
});

test('a row newer than what was seen stays', () => {
  assert.deepEqual(places(seen(row('a', '1')).overlay([row('a', '2')], '#', null, null)), ['a 2']);
});

test('a row of a later layout stays, whatever its position', () => {
  const page = [row('a', '1', 'x', 1)];
  assert.deepEqual(seen(row('a', '2', 'x', 0)).overlay(page, '#', null, null), page);
  assert.deepEqual(places(seen(row('a', '0', 'x', 2)).overlay(page, '#', null, null)), ['a 0']);
});

test('what has no row yet is added', () => {
  assert.deepEqual(places(seen(row('b', '2')).overlay([row('a', '1')], '#', null, null)), ['a 1', 'b 2']);
});

test('what was cleared lately is taken out', () => {
  assert.deepEqual(seen(row('a', '2', '')).overlay([row('a', '1')], '#', null, null), []);
});

test('what was cleared and set again is there', () => {
  assert.deepEqual(places(seen(row('a', '2', ''), row('a', '3')).overlay([], '#', null, null)), ['a 3']);
});

test('what the filter does not match is not added', () => {
  assert.deepEqual(places(seen(row('a/1', '1'), row('b/1', '2')).overlay([], 'a/+', null, null)), ['a/1 1']);
});

test('each topic falls into exactly one page', () => {
  const recent = seen(row('a', '1'), row('b', '1'), row('c', '1'), row('d', '1'));
  assert.deepEqual(places(recent.overlay([row('b', '0')], '#', null, 'b')), ['a 1', 'b 1']);
  assert.deepEqual(places(recent.overlay([], '#', 'b', 'c')), ['c 1']);
  assert.deepEqual(places(recent.overlay([], '#', 'c', null)), ['d 1']);
});

test('of two names, filters about full names get the second and all others the first', () => {
  const recent = new RecentRetained();
  const full = 'persistent://public/default/a';
  recent.see([row('a', '1'), row(full, '1')], 0);
  assert.deepEqual(places(recent.overlay([], '#', null, null)), ['a 1']);
  assert.deepEqual(places(recent.overlay([], 'persistent://#', null, null)), [`${full} 1`]);
});

test('what was seen before a time is forgotten, and what was seen again since is not', () => {
  const recent = new RecentRetained();
  recent.see([row('a', '1')], 10);
  recent.see([row('b', '2')], 20);
  recent.see([row('a', '3')], 30);
  recent.forget(30);
  assert.deepEqual(places(recent.overlay([], '#', null, null)), ['a 3']);
  recent.forget(31);
  assert.deepEqual(recent.overlay([], '#', null, null), []);
});
