import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expectations, expectationsOnPulsar, type Figures, lineOf } from './expectations.js';
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
  const met = (p50: number) => {
    const latencies = [{ qos: 1 as const, ratePerS: 200, flushMs: only(0.5), peers: [late('program', [[p50, 9]])] }];
    return expectations({ ...figures({}), latencies })[0]?.met;
  };
  assert.equal(met(2.5), true);
  assert.equal(met(2.51), false);
});

test('on Pulsar latency is judged by what each round says of program and relay', () => {
  const peers = [
    late('program', [
      [5, 20],
      [9, 14],
      [6, 12],
    ]),
    late('pulsar relay', [
      [4.5, 9],
      [8, 10.5],
      [4, 9],
    ]),
  ];
  const latencies = [{ qos: 1 as const, ratePerS: 200, flushMs: null, peers }];
  const found = expectationsOnPulsar({ ...figures({}), latencies });
  assert.deepEqual(
    found.map(({ figure, met }) => [figure, met]),
    [
      [1, true],
      [3.5, false],
    ],
  );
  // No flush of this disk is part of it.
  assert.deepEqual(expectations({ ...figures({}), latencies }), []);
});

test('on Pulsar QoS 1 is judged by the relay over Pulsar alone', () => {
  const tables = { 'QoS 1': taken({ program: [10, 80], relay: [1], 'pulsar relay': [12, 100] }) };
  assert.deepEqual(
    expectationsOnPulsar(figures(tables)).map(({ what, met }) => [what, met]),
    [['QoS 1 by pulsar relay', true]],
  );
  const without = expectationsOnPulsar(figures({ 'QoS 1': taken({ program: [10] }) }));
  assert.match(lineOf(without[0]!), /^ {2}not measured/);
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
  return { tables, latencies: [], connects: null, index: null };
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

/** p50 and p99 by round. */
function late(name: string, rounds: [number, number][]) {
  const [p50Ms, p99Ms] = [only(rounds[0]![0]), only(rounds[0]![1])];
  return { name, p50Ms, p99Ms, rounds: rounds.map(([p50, p99]) => ({ p50, p99 })) };
}

function only(value: number) {
  return { median: value, min: value, max: value };
}
