import type { Result } from './report.js';

export interface Figures {
  /** By title. */
  tables: Readonly<Record<string, readonly Result[]>>;
  latency: { flushMs: number; taken: readonly { name: string; p50: number }[] } | null;
  connects: readonly { name: string; clean: number; persistent: number | null }[] | null;
}

export interface Expectation {
  what: string;
  figure: string;
  met: boolean;
}

/** What is expected of the program, as far as it was measured. */
export function expectations({ tables, latency, connects }: Figures): Expectation[] {
  const rateOf = (title: string, name = 'program') =>
    tables[title]?.find((result) => result.name === name)?.deliveredPerS ?? Number.NaN;
  const beside = (title: string, name: string, least: number) =>
    atLeast(`${title} beside ${name}`, rateOf(title) / rateOf(title, name), least);
  const p50 = latency?.taken.find(({ name }) => name === 'program')?.p50 ?? Number.NaN;
  const connect = connects?.find(({ name }) => name === 'program');
  return [
    beside('QoS 1', 'relay', 0.8),
    beside('QoS 1', 'aedes', 2),
    beside('QoS 0', 'relay', 0.8),
    atLeast('QoS 2 beside QoS 1', rateOf('QoS 2') / rateOf('QoS 1'), 0.5),
    beside('1 to 1000, QoS 0', 'aedes', 1),
    beside('1 to 1000, QoS 1', 'aedes', 1),
    atMost('p50, in ms, one flush and 2 ms', p50, (latency?.flushMs ?? 0) + 2),
    atLeast('connect and subscribe, clients/s', connect?.clean ?? Number.NaN, 800),
    atLeast('the same, with a session that is kept', connect?.persistent ?? Number.NaN, 800),
  ].flatMap((expectation) => expectation ?? []);
}

function atLeast(what: string, value: number, least: number): Expectation | null {
  if (Number.isNaN(value)) return null;
  return { what: `${what}, at least ${least}`, figure: value.toFixed(2), met: value >= least };
}

function atMost(what: string, value: number, most: number): Expectation | null {
  if (Number.isNaN(value)) return null;
  return { what: `${what}, at most ${most.toFixed(2)}`, figure: value.toFixed(2), met: value <= most };
}
