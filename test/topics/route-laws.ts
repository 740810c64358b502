import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { filterMatches } from '../../functions/topics/filter-match.js';
import { topicNameProblem } from '../../functions/topics/names.js';
import type { Placement, Route } from '../../functions/topics/routes.js';
import { filters, keys, topics, topicsWithFilter } from './arbitrary-topics.js';

const RUNS = { numRuns: 2_000 };

export interface Laws {
  /** Topics of the log that a native producer might write to. */
  logTopics: readonly string[];
  /** Which topics the route has to take. */
  takes: (topic: string) => boolean;
  /** Whether the route promises to have `filter` find what was placed there; always, unless said. */
  promises?: (filter: string, logTopic: string) => boolean;
}

/** What holds for every route and every list of routes. */
export function obeysTheLaws(name: string, route: Route, { logTopics, takes, promises = () => true }: Laws): void {
  test(`${name}: takes every topic that is its own and no other`, () => {
    fc.assert(
      fc.property(topics, (topic) => assert.equal(route.toLog(topic) !== null, takes(topic), topic)),
      RUNS,
    );
  });

  test(`${name}: what is published is read back under its topic`, () => {
    fc.assert(
      fc.property(topics, (topic) => {
        const place = route.toLog(topic);
        if (place === null) return;
        assert.equal(route.toTopic(place.logTopic, place.key), topic);
        assert.notEqual(route.describe(place.logTopic), null);
        assert.ok(route.named.includes(place.logTopic) || route.topicsOf(place.logTopic).includes(topic));
      }),
      RUNS,
    );
  });

  test(`${name}: a filter has everything read that it matches`, () => {
    fc.assert(
      fc.property(topicsWithFilter, ({ topic, filter }) => {
        const place = route.toLog(topic);
        if (place === null || !promises(filter, place.logTopic)) return;
        assert.ok(isCovered(place, filter, route), `${filter} misses ${topic} at ${place.logTopic}`);
      }),
      RUNS,
    );
  });

  test(`${name}: a native record of any key is a valid topic that its filters find, or nothing`, () => {
    fc.assert(
      fc.property(fc.constantFrom(...logTopics), keys, filters, (logTopic, key, filter) => {
        const topic = route.toTopic(logTopic, key);
        if (topic === null) return;
        assert.equal(topicNameProblem(topic), null);
        assert.notEqual(route.describe(logTopic), null);
        for (const matching of [topic, filter]) {
          if (!filterMatches(matching, topic) || !promises(matching, logTopic)) continue;
          assert.ok(isCovered({ logTopic, key }, matching, route), `${matching} misses ${topic}`);
        }
      }),
      RUNS,
    );
  });
}

/** As a worker chooses what it reads. */
function isCovered({ logTopic, key }: Placement, filter: string, route: Route): boolean {
  return route.readings(filter).some((reading) => {
    if ('logTopic' in reading) return reading.logTopic === logTopic && (reading.key === null || reading.key === key);
    const isListed = logTopic.startsWith(`persistent://${reading.namespace}/`);
    return isListed && route.topicsOf(logTopic).some((topic) => filterMatches(filter, topic));
  });
}
