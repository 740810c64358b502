import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { retainedKey } from '../../../functions/adapters/dynamodb/keys.js';
import { compareTexts, literalPrefix, seekAfter } from '../../../functions/adapters/dynamodb/seek.js';
import { filterMatches } from '../../../functions/topics/filter-match.js';

const level = fc.constantFrom('', 'a', 'b', 'a!', 'ab', '!', '0', 'Ω', '😀', '\uffee');
const topic = fc.array(level, { minLength: 1, maxLength: 5 }).map((levels) => levels.join('/'));
const filter = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([levels, isTail]) => [...levels, ...(isTail ? ['#'] : [])].join('/'));

test('seeking behind a topic passes over nothing that matches, and never goes back', () => {
  fc.assert(
    fc.property(filter, topic, fc.array(topic, { maxLength: 30 }), (wanted, from, topics) => {
      if (wanted === literalPrefix(wanted)) return;
      const key = retainedKey(from).sk;
      const start = seekAfter(wanted, from, key);
      const later = topics.filter((each) => compareTexts(each, from) > 0 && filterMatches(wanted, each));
      if (start === undefined) return assert.deepEqual(later, []);
      assert.ok(compareTexts(start, key) >= 0);
      for (const each of later) assert.ok(compareTexts(each, start) > 0, `${each} is passed over by ${start}`);
    }),
    { numRuns: 20_000 },
  );
});

test('seeking among topics that are longer than keys passes over nothing that matches', () => {
  const long = fc.constantFrom(
    'a',
    'b',
    `${'x'.repeat(899)}a`,
    `${'x'.repeat(899)}b`,
    `${'x'.repeat(1_000)}`,
    `${'x'.repeat(897)}😀`,
  );
  const topics = fc.array(long, { minLength: 1, maxLength: 3 }).map((levels) => levels.join('/'));
  const filters = fc
    .array(fc.oneof(long, fc.constant('+')), { minLength: 1, maxLength: 3 })
    .map((levels) => levels.join('/'));
  fc.assert(
    fc.property(filters, topics, fc.array(topics, { maxLength: 20 }), (wanted, from, others) => {
      if (wanted === literalPrefix(wanted)) return;
      const key = retainedKey(from).sk;
      const start = seekAfter(wanted, from, key);
      for (const each of others) {
        const isLater = compareTexts(retainedKey(each).sk, key) > 0;
        if (!isLater || !filterMatches(wanted, each)) continue;
        assert.ok(start !== undefined && compareTexts(retainedKey(each).sk, start) > 0);
      }
    }),
    { numRuns: 5_000 },
  );
});

test('every match begins with the literal beginning of its filter', () => {
  fc.assert(
    fc.property(filter, topic, (wanted, each) => {
      if (filterMatches(wanted, each)) assert.ok(each.startsWith(literalPrefix(wanted)));
    }),
  );
});

test('what cannot match is left out', () => {
  const seeks = [
    ['devices/+/status', 'devices/1/a', 'devices/1/statur'],
    ['devices/+/status', 'devices/1/status/x', 'devices/1/status'],
    ['devices/+/status', 'devices/1/zzz', 'devices/1/'],
    ['a/+', 'a/x/y/z', 'a/x/'],
    ['+/b/#', 'a/c', 'a/'],
  ] as const;
  for (const [wanted, from, start] of seeks) {
    assert.ok(seekAfter(wanted, from, from)?.startsWith(start), `${wanted} behind ${from}`);
    assert.notEqual(seekAfter(wanted, from, from), from);
  }
  assert.equal(seekAfter('a/#', 'b', 'b'), undefined);
});
