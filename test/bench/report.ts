import { type Measurement, median } from './measure.js';

/** One peer's figures of one kind of load: medians of its rounds. */
export interface Result {
  name: string;
  deliveredPerS: number;
  /** CPU of the server per message delivered; null where its process is not known. */
  serverCpuUs: number | null;
  serverCores: number | null;
  loadCores: number;
  lost: number;
  /** The program's rate by this one's. */
  ratio: number;
  rounds: number[];
}

const HEAD = 'delivered/s   server µs/msg   server cores   load cores   lost        ratio       rounds';
/** Above it the load, not the server, may be what bounds the rate. */
const LOAD_CORES_BUSY = 0.9;

export function resultsOf(taken: ReadonlyMap<string, readonly Measurement[]>): Result[] {
  const rateOf = (of: readonly Measurement[]) => median(of.map(({ deliveredPerS }) => deliveredPerS));
  const first = [...taken.values()][0] ?? [];
  return [...taken].map(([name, measurements]) => ({
    name,
    deliveredPerS: Math.round(rateOf(measurements)),
    serverCpuUs: medianOrNull(measurements.map(({ serverCpuUs }) => serverCpuUs)),
    serverCores: medianOrNull(measurements.map(({ serverCores }) => serverCores)),
    loadCores: median(measurements.map(({ loadCores }) => loadCores)),
    lost: measurements.reduce((sum, { lost }) => sum + lost, 0),
    ratio: rateOf(first) / rateOf(measurements),
    rounds: measurements.map(({ deliveredPerS }) => Math.round(deliveredPerS)),
  }));
}

export function tableOf(title: string, results: readonly Result[]): string {
  const lines = results.map((result) => {
    const figures = [result.serverCpuUs?.toFixed(1), result.serverCores?.toFixed(2), result.loadCores.toFixed(2)];
    const rest = [String(result.lost), result.ratio.toFixed(2)];
    const range = `${Math.min(...result.rounds)}–${Math.max(...result.rounds)}`;
    const busy = result.loadCores > LOAD_CORES_BUSY ? '  the load was busy' : '';
    const columns = [result.deliveredPerS.toLocaleString('en'), ...figures.map((figure) => figure ?? '?'), ...rest];
    return row(result.name, [...columns, range]) + busy;
  });
  return [`\n${title.padEnd(28)}${HEAD}`, ...lines].join('\n');
}

export function row(name: string, columns: readonly string[]): string {
  return `  ${name.padEnd(20)}${columns.map((column) => column.padStart(14)).join('')}`;
}

function medianOrNull(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : median(known);
}
