import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { filterCovers } from '../../functions/topics/filter-cover.js';
import { filterMatches } from '../../functions/topics/filter-match.js';
import { filterProblem } from '../../functions/topics/names.js';
import { filters, topicsWithFilter } from './arbitrary-topics.js';

const COVERED: readonly (readonly [wide: string, narrow: string])[] = [
  ['a', 'a'],
  ['#', 'a/b'],
  ['#', '+/#'],
  ['+/#', '#'],
  ['+/#', '+'],
  ['a/#', 'a'],
  ['a/#', 'a/#'],
  ['a/#', 'a/+/#'],
  ['a/+', 'a/+'],
  ['a/+/c', 'a/b/c'],
  ['+/b', '+/b'],
  ['$SYS/#', '$SYS/+/x'],
  ['/#', '/+'],
  ['+/+/#', '/#'],
  ['+/#', '#'],
];
const NOT_COVERED: readonly (readonly [wide: string, narrow: string])[] = [
  ['a', 'b'],
  ['a', 'a/#'],
  ['a/+', 'a/#'],
  ['a/+', 'a'],
  ['a/+', 'a/b/c'],
  ['a/b', 'a/+'],
  ['a/+/#', 'a/#'],
  ['+/+', '#'],
  ['+', '#'],
  ['#', '$SYS'],
  ['#', '$SYS/#'],
  ['+/x', '$SYS/x'],
  ['a/#', 'ab'],
  ['a/b/#', 'a/+'],
  ['/#', '#'],
];

for (const [wide, narrow] of COVERED) {
  test(`${wide} covers ${narrow}`, () => assert.equal(filterCovers(wide, narrow), true));
}
for (const [wide, narrow] of NOT_COVERED) {
  test(`${wide} does not cover ${narrow}`, () => assert.equal(filterCovers(wide, narrow), false));
}

/** Of few levels, so that one often covers another. */
const few = fc.constantFrom('a', 'b', '', '$s', '+', '#');
const small = fc
  .array(few, { minLength: 1, maxLength: 4 })
  .map((levels) => levels.join('/'))
  .filter((filter) => filterProblem(filter) === null);

/** Topics that tell whether a filter matches what another does not, up to one level more than filters have here. */
const WITNESSES = (() => {
  const levels = ['a', 'b', '', '$s', 'other'];
  let last = [...levels];
  const all = [...levels];
  for (let depth = 1; depth < 5; depth += 1) {
    last = last.flatMap((topic) => levels.map((level) => `${topic}/${level}`));
    all.push(...last);
  }
  return all.filter((topic) => topic !== '');
})();

test('a filter covers another exactly where it matches all topics that the other matches', () => {
  const covers = (wide: string, narrow: string) =>
    WITNESSES.every((topic) => !filterMatches(narrow, topic) || filterMatches(wide, topic));
  fc.assert(
    fc.property(small, small, (wide, narrow) => {
      assert.equal(filterCovers(wide, narrow), covers(wide, narrow));
    }),
    { numRuns: 2_000 },
  );
});

test('what a covered filter matches, the covering one matches, for topics and filters of any kind', () => {
  fc.assert(
    fc.property(filters, topicsWithFilter, (wide, { topic, filter }) => {
      if (filterCovers(wide, filter)) assert.ok(filterMatches(wide, topic));
    }),
    { numRuns: 2_000 },
  );
});

test('every filter covers itself, and each topic that it matches', () => {
  fc.assert(
    fc.property(topicsWithFilter, ({ topic, filter }) => {
      assert.ok(filterCovers(filter, filter));
      assert.ok(filterCovers(filter, topic));
    }),
  );
});
