import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expectations, type Figures, lineOf } from './expectations.js';
import type { Measurement } from './measure.js';
import { boundBy, resultsOf } from './report.js';
import { ratioOf } from './rounds.js';

test('a ratio is the median of what each round says, not the ratio of medians', () => {
  assert.equal(ratioOf([100, 10, 60], [50, 5, 90]), 2);
  assert.ok(Number.isNaN(ratioOf([100], [])));
});

test('a round that a peer failed in is compared with nothing', () => {
  assert.equal(ratioOf([100, 1, 1], [50]), 2);
});

test('what no peer was there to compare with is not measured, and not met', () => {
  const found = expectations(figures({ 'QoS 0': taken({ program: [10], relay: [10] }) }));
  assert.deepEqual(
    found.map(({ what, met }) => [what, met]),
    [
      ['QoS 0 by relay', true],
      ['QoS 0 by joined relay', false],
    ],
  );
  assert.match(lineOf(found[1]!), /^ {2}not measured/);
});

test('nothing is expected of a part that did not run', () => {
  assert.deepEqual(expectations(figures({})), []);
});

test('p50 may be one flush and 2 ms', () => {
  const met = (p50Ms: number) => {
    const peers = [{ name: 'program', p50Ms: only(p50Ms), p99Ms: only(9) }];
    return expectations({ ...figures({}), latency: { ratePerS: 200, flushMs: only(0.5), peers } })[0]?.met;
  };
  assert.equal(met(2.5), true);
  assert.equal(met(2.51), false);
});

test('the index is judged at a million filters only', () => {
  const figure = { mix: 'fleet', matchP50Us: 5.1, filterBytes: 250, matchP99Us: 9, visits: 1, setUs: 1, leftBytes: 0 };
  const index = [1_000, 1_000_000].map((sought) => ({ ...figure, sought, filters: sought }));
  assert.deepEqual(
    expectations({ ...figures({}), index }).map(({ met }) => met),
    [false, true],
  );
});

test('a busy load is named before a busy server, and a machine without idle cores before waiting', () => {
  assert.equal(boundBy(0.95, 1, 0), 'load');
  assert.equal(boundBy(0.5, 1, 0), 'server');
  assert.equal(boundBy(0.5, 0.6, 0), 'machine');
  assert.equal(boundBy(0.5, 0.6, 0.9), 'waiting');
});

function figures(tables: Figures['tables']): Figures {
  return { tables, latency: null, connects: null, index: null };
}

/** Rates by round. */
function taken(peers: Record<string, number[]>) {
  const others = { delivered: 1, measuredMs: 1, cpuMs: 1, lost: 0, latencyMs: null };
  const cores = { serverCpuUs: null, serverCores: null, loadCores: 0, idleCores: 1 };
  return resultsOf(
    Object.entries(peers).map(([name, rates]) => ({
      name,
      measurements: rates.map((deliveredPerS): Measurement => ({ ...others, ...cores, deliveredPerS })),
    })),
  );
}

function only(value: number) {
  return { median: value, min: value, max: value };
}
