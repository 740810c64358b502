import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Progress } from '../../functions/fan-out/progress.js';
import type { CheckpointRow } from '../../functions/ports/store.js';
import { randomOf } from '../support/random.js';

const START: CheckpointRow = { partition: 'p', low: null, done: [] };

function positionOf(number: number): string {
  return String(number).padStart(6, '0');
}

/** All that was handed out, in order, with what it still needs: the slow and obvious way. */
class Model {
  readonly entries: { position: string; needs: number }[] = [];

  settle(position: string): void {
    const entry = this.entries.find((held) => held.position === position);
    if (entry && entry.needs > 0) entry.needs -= 1;
  }

  /** How many are passed: those before the first that something needs. */
  get passed(): number {
    const firstOpen = this.entries.findIndex(({ needs }) => needs > 0);
    return firstOpen < 0 ? this.entries.length : firstOpen;
  }

  get low(): string | null {
    return this.entries[this.passed - 1]?.position ?? null;
  }

  get done(): string[] {
    return this.entries.slice(this.passed).flatMap(({ position, needs }) => (needs === 0 ? [position] : []));
  }
}

for (const seed of [1, 2, 3, 4]) {
  test(`after any operations, what is done is what a list of them says (seed ${seed})`, () => {
    const random = randomOf(seed);
    const progress = new Progress(START);
    const model = new Model();
    let next = 1;
    for (let i = 0; i < 3_000; i += 1) {
      if (random(3) === 0) {
        const needs = random(4);
        const position = positionOf(next);
        next += 1 + random(3);
        progress.handOut(position, needs);
        model.entries.push({ position, needs });
        assert.equal(progress.handedOut, position);
      } else {
        // Near the newest, so that gaps stay open for long, and now and then one that never was or is done.
        const position = positionOf(Math.max(1, next - random(60)));
        progress.settle(position);
        model.settle(position);
      }
      assert.equal(progress.low, model.low);
      const taken = progress.take();
      if (taken) assert.deepEqual(taken, { partition: 'p', low: model.low, done: model.done });
    }
    for (const { position } of model.entries) for (let i = 0; i < 4; i += 1) progress.settle(position);
    assert.equal(progress.low, model.entries.at(-1)?.position);
  });
}

test('what is passed does not pile up', () => {
  const progress = new Progress(START);
  for (let i = 1; i <= 5_000; i += 1) progress.handOut(positionOf(i), 1);
  for (let i = 1; i <= 5_000; i += 1) progress.settle(positionOf(i));
  assert.equal(progress.low, positionOf(5_000));
  progress.handOut(positionOf(5_001), 1);
  progress.handOut(positionOf(5_002), 0);
  assert.deepEqual(progress.take(), { partition: 'p', low: positionOf(5_000), done: [positionOf(5_002)] });
});

test('a checkpoint is taken only when there is something new to say', () => {
  const progress = new Progress(START);
  assert.equal(progress.take(), null);
  progress.handOut(positionOf(1), 2);
  assert.notEqual(progress.take(), null);
  progress.settle(positionOf(1));
  assert.equal(progress.take(), null);
  progress.settle(positionOf(1));
  assert.deepEqual(progress.take(), { partition: 'p', low: positionOf(1), done: [] });
  assert.equal(progress.take(), null);
});

test('a checkpoint names a bounded number of done positions, the oldest', () => {
  const progress = new Progress(START);
  progress.handOut(positionOf(0), 1);
  for (let i = 1; i <= 1_500; i += 1) progress.handOut(positionOf(i), 0);
  const done = progress.take()?.done ?? [];
  assert.equal(done.length, 1_000);
  assert.equal(done[0], positionOf(1));
  assert.equal(done[999], positionOf(1_000));
});

test('a restart knows what the last owner was done with', () => {
  const progress = new Progress({ partition: 'p', low: positionOf(3), done: [positionOf(5)] });
  assert.equal(progress.low, positionOf(3));
  assert.equal(progress.handedOut, positionOf(3));
  assert.equal(progress.hasPassed(positionOf(3)), true);
  assert.equal(progress.hasPassed(positionOf(4)), false);
  assert.equal(progress.isDone(positionOf(5)), true);
  assert.equal(progress.isDone(positionOf(4)), false);
});

test('nothing is passed before the first position', () => {
  assert.equal(new Progress(START).hasPassed(positionOf(0)), false);
});
