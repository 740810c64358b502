import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BacklogAge } from '../../functions/runtime/backlog-age.js';

const NOW = 1_800_000_000_000;

test('the longest wait counts, for a minute', () => {
  const age = new BacklogAge();
  assert.equal(age.at(NOW), 0);
  age.handedOut(NOW - 5_000, NOW);
  age.handedOut(NOW + 10, NOW + 20);
  assert.equal(age.at(NOW + 59_999), 5_000);
  assert.equal(age.at(NOW + 60_000), 0);
});

test('a shorter wait counts once the longer one is forgotten, and a clock ahead of ours makes no wait', () => {
  const age = new BacklogAge();
  age.handedOut(NOW - 5_000, NOW);
  age.handedOut(NOW + 59_000, NOW + 60_000);
  assert.equal(age.at(NOW + 60_000), 1_000);
  age.handedOut(NOW + 200_001, NOW + 200_000);
  assert.equal(age.at(NOW + 200_000), 0);
});
