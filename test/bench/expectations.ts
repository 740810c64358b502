import type { ConnectRates } from './connections.js';
import type { IndexFigure } from './filter-index.js';
import type { Latencies } from './latency.js';
import { ratioOf } from './rounds.js';
import type { Tables } from './throughput.js';

/** What one run measured; null and left-out tables: not asked for. */
export interface Figures {
  tables: Tables;
  latency: Latencies | null;
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

const INDEX_FILTERS = 1_000_000;

/** What is expected of the program (issue 4, item 8), as far as its part of the bench ran. */
export function expectations({ tables, latency, connects, index }: Figures): Expectation[] {
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
    ...(latency === null ? [] : [ofLatency(latency)]),
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

export function lineOf({ what, bound, figure, met }: Expectation): string {
  const verdict = Number.isNaN(figure) ? 'not measured' : met ? 'met' : 'not met';
  return `  ${verdict.padEnd(14)}${what.padEnd(46)}${bound.padStart(10)}${figure.toFixed(2).padStart(12)}`;
}

function ofLatency({ flushMs, peers }: Latencies): Expectation {
  const p50 = peers.find(({ name }) => name === 'program')?.p50Ms.median ?? Number.NaN;
  return atMost(`p50 in ms, a flush of ${flushMs.median.toFixed(2)} and 2`, p50, flushMs.median + 2);
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
