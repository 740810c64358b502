import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { functionClock, systemClock } from '../../../functions/adapters/system/clock.js';

const HOUR_MS = 3_600_000;

test('now is the wall clock', () => {
  const before = Date.now();
  const now = systemClock.now();
  assert.ok(before <= now && now <= Date.now());
});

test('a timer does not keep the process alive, but for a function', () => {
  const alive = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = alive();
  const cancel = systemClock.after(HOUR_MS, () => {});
  assert.equal(alive(), before);
  const cancelHeld = functionClock.after(HOUR_MS, () => {});
  assert.equal(alive(), before + 1);
  cancelHeld();
  cancel();
});

test('a timer goes off once', (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
  let runs = 0;
  systemClock.after(100, () => {
    runs += 1;
  });
  mock.timers.tick(99);
  assert.equal(runs, 0);
  mock.timers.tick(1_000);
  assert.equal(runs, 1);
});

test('a time further than a Node timer reaches is neither early nor lost, and can be cancelled on the way', (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
  const days = (n: number) => n * 24 * HOUR_MS;
  const runs: string[] = [];
  systemClock.after(days(60), () => runs.push('kept'));
  const cancel = systemClock.after(days(60), () => runs.push('cancelled'));
  for (let day = 0; day < 59; day += 1) mock.timers.tick(days(1));
  assert.deepEqual(runs, []);
  cancel();
  mock.timers.tick(days(2));
  assert.deepEqual(runs, ['kept']);
});

test('unique texts have 22 characters that are safe in a topic and a file name, and differ', () => {
  const drawn = new Set(Array.from({ length: 1_000 }, () => systemClock.unique()));
  assert.equal(drawn.size, 1_000);
  for (const text of drawn) assert.match(text, /^[\w-]{22,}$/);
});
