import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filterMatches } from '../../functions/topics/filter-match.js';

const MATCHES: readonly (readonly [filter: string, topic: string])[] = [
  ['a', 'a'],
  ['sport/tennis/player1', 'sport/tennis/player1'],
  ['sport/tennis/player1/#', 'sport/tennis/player1'],
  ['sport/tennis/player1/#', 'sport/tennis/player1/ranking'],
  ['sport/tennis/player1/#', 'sport/tennis/player1/score/wimbledon'],
  ['sport/#', 'sport'],
  ['sport/#', 'sport/'],
  ['#', 'a'],
  ['#', '/'],
  ['#', 'a/b/c'],
  ['/#', '/'],
  ['/#', '/a'],
  ['+', 'a'],
  ['+/+', '/finance'],
  ['/+', '/finance'],
  ['+/tennis/#', 'sport/tennis'],
  ['+/#', 'a'],
  ['+/#', '/'],
  ['sport/+/player1', 'sport/tennis/player1'],
  ['sport/+/player1', 'sport//player1'],
  ['sport/+', 'sport/'],
  ['+/+/+', '//'],
  ['a/+/c/#', 'a/b/c'],
  ['$SYS/#', '$SYS/monitor/Clients'],
  ['$SYS/#', '$SYS'],
  ['$SYS/monitor/+', '$SYS/monitor/Clients'],
  ['a/+', 'a/$b'],
  ['a/#', 'a/$b/c'],
  ['straße/+/💡', 'straße/7/💡'],
];

const MISSES: readonly (readonly [filter: string, topic: string])[] = [
  ['a', 'A'],
  ['a', 'ab'],
  ['ab', 'a'],
  ['a', 'a/'],
  ['a/', 'a'],
  ['/a', 'a'],
  ['a', '/a'],
  ['sport/#', 'sports'],
  ['sport/#', 'spor'],
  ['sport/tennis/#', 'sport'],
  ['sport/+', 'sport'],
  ['sport/+', 'sport/tennis/player1'],
  ['+', '/finance'],
  ['+', 'a/'],
  ['+/', 'a'],
  ['a/+/c', 'a/b'],
  ['a/+/c', 'a/b/d'],
  ['a/+/c', 'a/b/c/d'],
  ['a/+/#', 'a'],
  ['#', '$SYS'],
  ['#', '$SYS/monitor'],
  ['+', '$SYS'],
  ['+/monitor/Clients', '$SYS/monitor/Clients'],
  ['+/#', '$SYS/monitor'],
  ['$SYS/monitor/+', '$SYS/monitor'],
];

for (const [filter, topic] of MATCHES) {
  test(`${filter} matches ${topic}`, () => assert.equal(filterMatches(filter, topic), true));
}

for (const [filter, topic] of MISSES) {
  test(`${filter} does not match ${topic}`, () => assert.equal(filterMatches(filter, topic), false));
}
