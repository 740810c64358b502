import type { ConnectRates } from './connections.js';
import type { IndexFigure } from './filter-index.js';
import type { Latencies } from './latency.js';
import { differenceOf, ratioOf } from './rounds.js';
import type { Tables } from './throughput.js';

/** What one run measured; null, empty and left-out tables: not asked for. */
export interface Figures {
  tables: Tables;
  latencies: Latencies[];
  connects: ConnectRates | null;
  index: IndexFigure[] | null;
}

export interface Expectation {
  what: string;
  bound: string;
  /** NaN where a peer that it takes could not be measured. */
  figure: number;
  met: boolean;
}

const PULSAR_RELAY = 'pulsar relay';
const INDEX_FILTERS = 1_000_000;

/** What is expected of the program (issue 4, item 8), as far as its part of the bench ran. */
export function expectations({ tables, latencies, connects, index }: Figures): Expectation[] {
  const rounds = (title: string, name: string) => tables[title]?.find((result) => result.name === name)?.rounds ?? [];
  const ratio = (title: string, other: string, name: string) => ratioOf(rounds(title, 'program'), rounds(other, name));
  const beside = (title: string, name: string, least: number) =>
    tables[title] === undefined ? [] : [atLeast(`${title} by ${name}`, ratio(title, title, name), least)];
  return [
    ...beside('QoS 1', 'relay', 0.8),
    ...beside('QoS 1', 'joined relay', 0.8),
    ...beside('QoS 1', 'aedes', 2),
    ...beside('QoS 0', 'relay', 0.8),
    ...beside('QoS 0', 'joined relay', 0.8),
    ...(tables['QoS 1'] && tables['QoS 2']
      ? [atLeast('QoS 2 by own QoS 1', ratio('QoS 2', 'QoS 1', 'program'), 0.5)]
      : []),
    ...beside('1 to 1000, QoS 0', 'aedes', 1),
    ...beside('1 to 1000, QoS 1', 'aedes', 1),
    ...latencies.flatMap(besideFlush),
    ...Object.entries(connects ?? {}).map(([kind, rates]) =>
      atLeast(
        `connect and subscribe/s, ${kind}`,
        rates.find(({ name }) => name === 'program')?.perS.median ?? Number.NaN,
        800,
      ),
    ),
    ...(index ?? []).filter(({ sought }) => sought === INDEX_FILTERS).flatMap(ofIndex),
  ];
}

/** What is expected of the program on Pulsar (issue 5, item 6). */
export function expectationsOnPulsar({ tables, latencies }: Figures): Expectation[] {
  const rounds = (title: string, name: string) => tables[title]?.find((result) => result.name === name)?.rounds ?? [];
  const ratio = ratioOf(rounds('QoS 1', 'program'), rounds('QoS 1', PULSAR_RELAY));
  return [
    ...(tables['QoS 1'] === undefined ? [] : [atLeast(`QoS 1 by ${PULSAR_RELAY}`, ratio, 0.8)]),
    ...latencies.flatMap(besidePulsarRelay),
  ];
}

export function lineOf({ what, bound, figure, met }: Expectation): string {
  const verdict = Number.isNaN(figure) ? 'not measured' : met ? 'met' : 'not met';
  return `  ${verdict.padEnd(14)}${what.padEnd(46)}${bound.padStart(10)}${figure.toFixed(2).padStart(12)}`;
}

function besideFlush({ flushMs, peers }: Latencies): Expectation[] {
  const p50 = peers.find(({ name }) => name === 'program')?.p50Ms.median ?? Number.NaN;
  if (flushMs === null) return [];
  return [atMost(`p50 in ms, a flush of ${flushMs.median.toFixed(2)} and 2`, p50, flushMs.median + 2)];
}

/** The peer has no QoS 2. */
function besidePulsarRelay({ qos, peers }: Latencies): Expectation[] {
  if (qos === 2) return [];
  const rounds = (name: string) => peers.find((peer) => peer.name === name)?.rounds ?? [];
  const above = (of: 'p50' | 'p99') =>
    differenceOf(
      ...(['program', PULSAR_RELAY].map((name) => rounds(name).map((round) => round[of])) as [number[], number[]]),
    );
  return [
    atMost(`QoS ${qos}: p50 above ${PULSAR_RELAY} in ms`, above('p50'), 1),
    atMost(`QoS ${qos}: p99 above ${PULSAR_RELAY} in ms`, above('p99'), 3),
  ];
}

function ofIndex({ mix, matchP50Us, filterBytes }: IndexFigure): Expectation[] {
  return [
    atMost(`10⁶ filters, ${mix}: median match in µs`, matchP50Us, 5),
    atMost(`10⁶ filters, ${mix}: bytes a filter`, filterBytes, 250),
  ];
}

function atLeast(what: string, figure: number, least: number): Expectation {
  return { what, bound: `≥ ${least}`, figure, met: figure >= least };
}

function atMost(what: string, figure: number, most: number): Expectation {
  return { what, bound: `≤ ${Number(most.toFixed(2))}`, figure, met: figure <= most };
}
