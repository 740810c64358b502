import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulate } from './simulation.js';

const SEEDS = 24;
const STEPS = 1_500;

for (let seed = 1; seed <= SEEDS; seed += 1) {
  test(`a run with crashes, lost connections and late writes keeps every promise (seed ${seed})`, async () => {
    const { violations, step, trace } = await simulate({ seed, steps: STEPS });
    const repeat = `npm run sim -- --seed ${seed} --steps ${STEPS}`;
    assert.deepEqual(violations, [], `at step ${step}; repeat: ${repeat}\n${trace.join('\n')}`);
  });
}

const FLEETS = 120;

for (let seed = 1; seed <= FLEETS; seed += 1) {
  test(`several processes that crash, pause and lose what they own keep every promise (seed ${seed})`, async () => {
    const { violations, step, trace } = await simulate({ seed, steps: 2 * STEPS, isFleet: true });
    const repeat = `npm run sim -- --fleet --seed ${seed} --steps ${2 * STEPS}`;
    assert.deepEqual(violations, [], `at step ${step}; repeat: ${repeat}\n${trace.join('\n')}`);
  });
}

test('the same seed gives the same run, and another seed another', async () => {
  const [first, again, other] = [
    await simulate({ seed: 7, steps: STEPS }),
    await simulate({ seed: 7, steps: STEPS }),
    await simulate({ seed: 8, steps: STEPS }),
  ];
  assert.equal(first.hash, again.hash);
  assert.notEqual(first.hash, other.hash);
});

test('a run does something: connections, crashes, publications acknowledged and delivered', async () => {
  const total: Record<string, number> = {};
  for (const seed of [3, 4, 5, 6]) {
    const { counts } = await simulate({ seed, steps: STEPS });
    for (const [name, count] of Object.entries(counts)) total[name] = (total[name] ?? 0) + count;
  }
  for (const name of ['connects', 'crashes', 'published', 'acknowledged', 'delivered', 'wills-published']) {
    assert.ok((total[name] ?? 0) > 0, name);
  }
});
