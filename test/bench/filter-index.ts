/**
 * What the filter index costs, by number of filters: bytes of heap per filter (the filter's own text counted), and how
 * long one match takes. In a process of its own; its argument is the largest number of filters. Its parent is told figures.
 */
import { FilterIndex } from '../../functions/topics/filter-index.js';
import { randomOf } from '../support/random.js';
import { header, row } from './report.js';

const HEAD = ['B/filter', 'match p50 µs', 'match p99 µs', 'visits', 'set µs', 'B left'];
const SIZES = [1_000, 10_000, 100_000, 1_000_000];
const MATCHES = 20_000;
const WARM_UP = 5_000;

export interface IndexFigure {
  mix: string;
  /** Filters set, some perhaps more than once. */
  sought: number;
  filters: number;
  filterBytes: number;
  matchP50Us: number;
  matchP99Us: number;
  /** Per match. */
  visits: number;
  setUs: number;
  /** Of heap, after deleting all. */
  leftBytes: number;
}

interface Mix {
  name: string;
  what: string;
  filter(i: number): string;
  /** A topic; most match something. */
  topic(i: number): string;
}

/** As a fleet subscribes: each client to its own vehicles, some to a kind of message, some to all of a vehicle. */
const fleet: Mix = {
  name: 'fleet',
  what: '70 % exact, 15 % with + in the middle, 15 % with a # tail',
  filter(i) {
    const place = `city/${i % 50}/line/${(i * 7) % 400}`;
    const kind = i % 20;
    if (kind < 14) return `${place}/vehicle/${i}/position`;
    return kind < 17 ? `city/${i % 50}/line/+/vehicle/${i}/position` : `${place}/vehicle/${i}/#`;
  },
  topic: (i) => `city/${i % 50}/line/${(i * 7) % 400}/vehicle/${i}/position`,
};

const wildcards: Mix = {
  name: 'wildcards',
  what: 'half with + in the middle, half with a # tail',
  filter: (i) =>
    i % 2 === 0 ? `city/${i % 50}/line/+/vehicle/${i}/position` : `city/${i % 50}/line/${(i * 7) % 400}/vehicle/${i}/#`,
  topic: fleet.topic,
};

const branching: Mix = {
  name: 'adversarial',
  what: 'at each of seven levels a number below 40 or, one time in four, a +',
  filter: (i) => branchingText(i, true),
  topic: (i) => branchingText(i, false),
};

const devices: Mix = {
  name: 'devices',
  what: 'a UUID each, with a # tail',
  filter: (i) => `devices/${uuid(i)}/cmd/#`,
  topic: (i) => `devices/${uuid(i)}/cmd/restart`,
};

const largest = Number(process.argv[2] ?? SIZES.at(-1));
for (const mix of [fleet, wildcards, devices, branching]) {
  console.log(header(`Filters: ${mix.name}`, HEAD));
  for (const size of SIZES.filter((size) => size <= largest)) report(measure(mix, size));
  console.log(`  (${mix.what})`);
}

function report(figure: IndexFigure): void {
  const { filters, filterBytes, matchP50Us, matchP99Us, visits, setUs, leftBytes } = figure;
  const times = [matchP50Us, matchP99Us, visits, setUs].map((value) => value.toFixed(2));
  console.log(row(String(filters), [filterBytes.toFixed(0), ...times, String(leftBytes)]));
  process.send?.(figure);
}

function measure(mix: Mix, size: number): IndexFigure {
  const subscriber = {};
  const before = heapBytes();
  const index = new FilterIndex<object, number>();
  const begun = performance.now();
  for (let i = 0; i < size; i += 1) index.set(flat(mix.filter(i)), subscriber, 1);
  const setUs = ((performance.now() - begun) * 1000) / size;
  const { filters } = index;
  const filterBytes = (heapBytes() - before) / filters;

  const random = randomOf(size);
  const timesUs: number[] = [];
  let visited = 0;
  const count = () => {
    visited += 1;
  };
  for (let i = 0; i < WARM_UP + MATCHES; i += 1) {
    const topic = flat(mix.topic(random(size)));
    const from = performance.now();
    index.match(topic, count);
    if (i >= WARM_UP) timesUs.push((performance.now() - from) * 1000);
  }
  timesUs.sort((a, b) => a - b);

  for (let i = 0; i < size; i += 1) index.delete(mix.filter(i), subscriber);
  const leftBytes = heapBytes() - before;
  return {
    mix: mix.name,
    sought: size,
    filters,
    filterBytes,
    matchP50Us: at(timesUs, 0.5),
    matchP99Us: at(timesUs, 0.99),
    visits: visited / (WARM_UP + MATCHES),
    setUs,
    leftBytes,
  };
}

function heapBytes(): number {
  if (globalThis.gc === undefined) throw new Error('run with node --expose-gc');
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** As the decoder hands it over: one piece, its hash not known yet. */
function flat(text: string): string {
  return Buffer.from(text).toString();
}

function branchingText(i: number, wild: boolean): string {
  const random = randomOf(i);
  const levels: string[] = [];
  for (let level = 0; level < 7; level += 1) levels.push(wild && random(4) === 0 ? '+' : String(random(40)));
  return levels.join('/');
}

function uuid(i: number): string {
  const random = randomOf(i);
  const hex = (length: number) => Array.from({ length }, () => random(16).toString(16)).join('');
  return `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(12)}`;
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.floor(sorted.length * share)] as number;
}
