import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appendMsOf, batchesPerS, type Costs, fit, predict } from './fleet-model.js';
import { RESOURCES, saturatedAt, scaleOf } from './fleet-scale.js';

const COSTS: Costs = {
  appendMs: 10,
  pageMs: 10,
  orderBytes: 200,
  commandBytes: 150,
  workerUs: { second: 0, event: 300, read: 10, delivery: 10 },
  edgeUs: { second: 0, event: 400, publication: 40, delivery: 5 },
  leaseMs: 2_500,
};
const about = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) <= expected * 1e-3, `${actual}, and not ${expected}`);

test('a seldom pair has a batch for each, a busy one as many as fit one after the other', () => {
  about(batchesPerS(0.1, 10), 0.1);
  about(batchesPerS(100_000, 10), 100);
  assert.equal(batchesPerS(0, 10), 0);
  for (const perS of [1, 50, 400]) about(appendMsOf(perS, batchesPerS(perS, 7)), 7);
});

test('each shard reads all, and what one publication has for a pair goes together', () => {
  const load = { edges: 1, workers: 2, shards: 4, publishedPerS: 1, fanOut: 400, qos: 1 } as const;
  const figures = predict(load, COSTS);
  assert.equal(figures.delivered, 400);
  assert.equal(figures.read, 4);
  assert.equal(figures.orderBytes, 80_000);
  // Four pairs, each with one burst a second: its batch, and two of acknowledgements.
  about(figures.orders, 4 * batchesPerS(1, 10));
  about(figures.commands, 4 * batchesPerS(2, 10));
  // Two calls for each of five beats in 2.5 s of three processes, and four checkpoints.
  about(figures.storeCalls, 3 * 2 * 2 + 4);
  assert.equal(predict({ ...load, qos: 0 }, COSTS).commands, 0);
});

test('what things cost is found again', () => {
  const costs = [300, 10, 20];
  const counts = [
    [100, 400, 100],
    [10, 40_000, 10_000],
    [200, 100, 4_000],
    [50, 50, 50],
  ];
  const points = counts.map((each) => ({
    counts: each,
    total: each.reduce((sum, count, i) => sum + count * costs[i]!, 0),
  }));
  for (const [i, cost] of fit(points).entries()) about(cost, costs[i]!);
  const [, negative] = fit([
    { counts: [1, 1], total: 1 },
    { counts: [2, 1], total: 3 },
  ]);
  assert.equal(negative, 0);
});

test('without a relay every worker reads more with every other; with one it does not', () => {
  const [ten, hundred] = [scaleOf(10, COSTS), scaleOf(100, COSTS)];
  assert.ok(hundred.readingShare > ten.readingShare * 5);
  about(scaleOf(100, COSTS, true).readingShare, scaleOf(10, COSTS, true).readingShare);
  const worker = RESOURCES['a core of each worker'];
  const at = saturatedAt(worker, COSTS);
  assert.ok(worker(scaleOf(at, COSTS)) >= 1 && worker(scaleOf(at - 1, COSTS)) < 1);
  assert.equal(saturatedAt(worker, COSTS, true), Number.POSITIVE_INFINITY);
  // All processes read all leases: with the square of them.
  about(hundred.leaseShare / scaleOf(1_000, COSTS).leaseShare, 0.01);
});
