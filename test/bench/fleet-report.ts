import { type Expectation, lineOf } from './expectations.js';
import type { Costs, FleetFigures } from './fleet-model.js';
import { RESOURCES, type Scale, saturatedAt, scaleOf } from './fleet-scale.js';
import { checked, costsOf, type FleetRun } from './processes.js';
import { header, row } from './report.js';

/** What is counted depends on when things come; CPU on what else two cores do. */
const MARGIN = 0.5;
const SCALES = [10, 100, 1_000];

const COUNTS = ['read', 'pages', 'orders', 'orderBytes', 'commands', 'commandBytes', 'storeCalls'] as const;
const CPU = ['workerCores', 'edgeCores'] as const;

/** One run as it comes. */
export function lineOfRun({ fleet, load, counted, pulsarCores }: FleetRun): string {
  const { delivered, pages, orders, orderBytes, commands, commandBytes, read, workerCores, edgeCores, storeCalls } =
    counted;
  const each = (perS: number, digits = 2) => (perS / delivered).toFixed(digits);
  const cpu = (cores: number | null) => (cores === null ? '?' : ((cores / delivered) * 1e6).toFixed(0));
  return [
    `${fleet.padEnd(28)}${load.padEnd(16)}${delivered.toFixed(0).padStart(6)}/s`,
    `CPU us/delivery: edges ${cpu(edgeCores)}, workers ${cpu(workerCores)}, Pulsar ${cpu(pulsarCores)}`,
    `records/delivery: read ${each(read)} (${each(pages)} pages), for edges ${each(orders)} (${each(orderBytes, 0)} B), for shards ${each(commands)} (${each(commandBytes, 0)} B)`,
    `DynamoDB ${storeCalls.toFixed(0)}/s`,
  ].join('  ');
}

export function fleetReport(runs: readonly FleetRun[]): {
  text: string;
  figures: { costs: Costs; expected: Expectation[]; scales: Scale[] };
} {
  const costs = costsOf(runs);
  const against = checked(runs, costs);
  const expected = [
    ...COUNTS.map((figure) => worstOf(against, figure, MARGIN)),
    ...CPU.map((figure) => worstOf(against, figure, MARGIN)),
  ];
  const scales = SCALES.map((workers) => scaleOf(workers, costs));
  const relayed = SCALES.map((workers) => scaleOf(workers, costs, true));
  const text = [
    '\nThe model: times and sizes of the first fleet, CPU by all fleets of edges and workers',
    ...Object.entries({ ...costs, workerUs: undefined, edgeUs: undefined, ...flat(costs) })
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `  ${name.padEnd(26)}${Number(value).toFixed(1).padStart(10)}`),
    '\nHeld against the other fleets: predicted by counted, whichever is furthest from 1',
    ...expected.map(lineOf),
    tableOf('As many edges', scales),
    tableOf('With a relay', relayed),
    '\nUsed up at so many workers (and with a relay):',
    ...Object.entries(RESOURCES).map(
      ([name, share]) =>
        `  ${name.padEnd(36)}${numberOf(saturatedAt(share, costs)).padStart(10)}${numberOf(saturatedAt(share, costs, true)).padStart(10)}`,
    ),
  ].join('\n');
  return { text, figures: { costs, expected, scales: [...scales, ...relayed] } };
}

/** Of all runs the one that the model says worst. */
function worstOf(against: ReturnType<typeof checked>, figure: keyof FleetFigures, margin: number): Expectation {
  const ratios = against
    .filter(({ counted, predicted }) => counted[figure] > 0 || predicted[figure] > 0)
    .map(({ counted, predicted }) => predicted[figure] / counted[figure]);
  const distance = (ratio: number) => Math.abs(Math.log(ratio));
  const worst = ratios.reduce((found, ratio) => (distance(ratio) > distance(found) ? ratio : found), 1);
  const isIn = distance(worst) <= Math.log(1 + margin);
  return { what: figure, bound: `×/÷ ${1 + margin}`, figure: worst, met: isIn };
}

function tableOf(title: string, scales: readonly Scale[]): string {
  const share = (value: number) => value.toFixed(3);
  const count = (value: number) => value.toLocaleString('en', { maximumFractionDigits: 0 });
  const lines: [string, (scale: Scale) => string][] = [
    ['published a second', ({ publishedPerS }) => count(publishedPerS)],
    ['worker: core', ({ workerShare }) => share(workerShare)],
    ['  of it, reading', ({ readingShare }) => share(readingShare)],
    ['edge: core', ({ edgeShare }) => share(edgeShare)],
    ['Pulsar: appended a second', ({ appended }) => count(appended)],
    ['Pulsar: handed out a second', ({ handedOut }) => count(handedOut)],
    ['pairs of edge and shard', ({ pairs }) => count(pairs)],
    ['leases: of what may be read', ({ leaseShare }) => share(leaseShare)],
  ];
  return [
    header(
      title,
      scales.map(({ workers }) => `${workers} workers`),
    ),
    ...lines.map(([name, cell]) => row(name, scales.map(cell))),
  ].join('\n');
}

function flat({ workerUs, edgeUs }: Costs): Record<string, number> {
  return {
    'workerUs.second': workerUs.second,
    'workerUs.event': workerUs.event,
    'workerUs.read': workerUs.read,
    'workerUs.delivery': workerUs.delivery,
    'edgeUs.second': edgeUs.second,
    'edgeUs.event': edgeUs.event,
    'edgeUs.publication': edgeUs.publication,
    'edgeUs.delivery': edgeUs.delivery,
  };
}

function numberOf(workers: number): string {
  return Number.isFinite(workers) ? String(workers) : 'never';
}
