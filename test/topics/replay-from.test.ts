import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFrom } from '../../functions/topics/replay-from.js';

const NOW = Date.parse('2026-11-23T12:00:00Z');

for (const [text, expected] of [
  ['earliest', 'earliest'],
  ['-15m', { sinceMs: NOW - 900_000 }],
  ['-90s', { sinceMs: NOW - 90_000 }],
  ['-250ms', { sinceMs: NOW - 250 }],
  ['-2h', { sinceMs: NOW - 7_200_000 }],
  ['-7d', { sinceMs: NOW - 604_800_000 }],
  ['-999999999d', { sinceMs: 0 }],
  ['2026-11-23T08:00:00Z', { sinceMs: NOW - 14_400_000 }],
  ['2026-11-23T08:00Z', { sinceMs: NOW - 14_400_000 }],
  ['2026-11-23T09:00:00.5+01:00', { sinceMs: NOW - 14_400_000 + 500 }],
] as const) {
  test(`history from ${text} begins at ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(parseFrom(text, NOW), expected);
  });
}

for (const text of [
  '',
  'latest',
  '15m',
  '-15',
  '-m',
  '-1.5h',
  '-1w',
  '2026-11-23',
  '2026-11-23T08:00:00',
  '2026-13-01T00:00Z',
  'Earliest',
  '-15m, -15m',
]) {
  test(`history cannot begin at ${JSON.stringify(text)}`, () => {
    assert.equal(parseFrom(text, NOW), null);
  });
}
