import type { Measurement } from './measure.js';
import { median, ratioOf, type Spread, spreadOf } from './rounds.js';

/** One peer's figures of one kind of load: medians of its rounds. */
export interface Result {
  name: string;
  /** Delivered a second, round by round. */
  rounds: number[];
  deliveredPerS: Spread;
  /** CPU of the server per message delivered; null where its process is not known. */
  serverCpuUs: number | null;
  serverCores: number | null;
  loadCores: number;
  idleCores: number;
  lost: number;
  /** The program's rate by this one's: the median of what each round says. */
  ratio: number;
}

const HEAD = [
  'delivered/s',
  'range',
  'server µs/msg',
  'server cores',
  'load cores',
  'idle cores',
  'lost',
  'ratio',
  'bound by',
];
/** Cores; from there on a process of one busy thread does what it can. */
export const BUSY_CORES = 0.9;
/** Fewer are none. */
const IDLE_CORES = 0.2;

/** The first is the program. */
export function resultsOf(taken: readonly { name: string; measurements: readonly Measurement[] }[]): Result[] {
  const ratesOf = (of: readonly Measurement[]) => of.map(({ deliveredPerS }) => deliveredPerS);
  const program = ratesOf(taken[0]?.measurements ?? []);
  return taken.map(({ name, measurements }) => ({
    name,
    rounds: ratesOf(measurements),
    deliveredPerS: spreadOf(ratesOf(measurements)),
    serverCpuUs: medianOrNull(measurements.map(({ serverCpuUs }) => serverCpuUs)),
    serverCores: medianOrNull(measurements.map(({ serverCores }) => serverCores)),
    loadCores: median(measurements.map(({ loadCores }) => loadCores)),
    idleCores: median(measurements.map(({ idleCores }) => idleCores)),
    lost: measurements.reduce((sum, { lost }) => sum + lost, 0),
    ratio: ratioOf(program, ratesOf(measurements)),
  }));
}

export function tableOf(title: string, results: readonly Result[]): string {
  const lines = results.map(({ name, deliveredPerS, serverCpuUs, serverCores, loadCores, idleCores, lost, ratio }) =>
    row(name, [
      deliveredPerS.median.toFixed(0),
      rangeOf(deliveredPerS, 0),
      serverCpuUs?.toFixed(1) ?? '?',
      serverCores?.toFixed(2) ?? '?',
      loadCores.toFixed(2),
      idleCores.toFixed(2),
      String(lost),
      ratio.toFixed(2),
      boundBy(loadCores, serverCores, idleCores),
    ]),
  );
  return [header(title, HEAD), ...lines].join('\n');
}

/**
 * What kept the rate from being higher. `load`: the server might do more. `machine`: others took the CPU, or server and
 * load shared what there is. `waiting`: nobody was busy; the windows were full while the disk took its time.
 */
export function boundBy(
  loadCores: number,
  serverCores: number | null,
  idleCores: number,
): 'load' | 'server' | 'machine' | 'waiting' {
  if (loadCores >= BUSY_CORES) return 'load';
  if (serverCores !== null && serverCores >= BUSY_CORES) return 'server';
  return idleCores < IDLE_CORES ? 'machine' : 'waiting';
}

export function header(title: string, columns: readonly string[]): string {
  return `\n${title.padEnd(28)}${cells(columns)}`;
}

export function row(name: string, columns: readonly string[]): string {
  return `  ${name.padEnd(26)}${cells(columns)}`;
}

export function rangeOf({ min, max }: Spread, digits: number): string {
  return `${min.toFixed(digits)}–${max.toFixed(digits)}`;
}

function cells(columns: readonly string[]): string {
  return columns.map((column) => column.padStart(14)).join('');
}

function medianOrNull(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : median(known);
}
