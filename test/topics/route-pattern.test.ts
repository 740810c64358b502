import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { filterMatches } from '../../functions/topics/filter-match.js';
import { filterProblem, topicNameProblem } from '../../functions/topics/names.js';
import { filtersOverlap, patternOverlaps, patternTakes } from '../../functions/topics/route-pattern.js';

const DEPTH = 4;
/** With a level `z` that no filter has, so that every kind of topic is there that the filters can tell apart. */
const TOPICS = enumerated(['', 'a', '$b', 'z'], DEPTH).filter((topic) => topicNameProblem(topic) === null);

/** One level shorter than the topics, so that what `#` stands for is there too. */
const filter = fc
  .array(fc.constantFrom('', 'a', '$b', '+', '#'), { minLength: 1, maxLength: DEPTH - 1 })
  .map((levels) => levels.join('/'))
  .filter((text) => filterProblem(text) === null);

test('filters overlap where some topic is matched by both', () => {
  fc.assert(
    fc.property(filter, filter, (a, b) => {
      const common = TOPICS.find((topic) => filterMatches(a, topic) && filterMatches(b, topic));
      assert.equal(filtersOverlap(a, b), common !== undefined, `${a} and ${b}: ${common}`);
    }),
    { numRuns: 3_000 },
  );
});

test('a pattern overlaps a filter where it takes some topic that the filter matches', () => {
  fc.assert(
    fc.property(filter, filter, (pattern, b) => {
      const common = TOPICS.find((topic) => patternTakes(pattern, topic) && filterMatches(b, topic));
      assert.equal(patternOverlaps(pattern, b), common !== undefined, `${pattern} and ${b}: ${common}`);
    }),
    { numRuns: 3_000 },
  );
});

test('wildcards of a pattern stand for names with $ too', () => {
  assert.equal(patternTakes('#', '$SYS/x'), true);
  assert.equal(patternTakes('+/x', '$SYS/x'), true);
  assert.equal(patternTakes('+/y', '$SYS/x'), false);
  assert.equal(patternOverlaps('#', '$SYS/+'), true);
  assert.equal(filtersOverlap('#', '$SYS/+'), false);
});

function enumerated(levels: readonly string[], depth: number): string[] {
  if (depth === 1) return [...levels];
  const shorter = enumerated(levels, depth - 1);
  const longest = shorter.filter((topic) => topic.split('/').length === depth - 1);
  return [...shorter, ...longest.flatMap((topic) => levels.map((level) => `${topic}/${level}`))];
}
