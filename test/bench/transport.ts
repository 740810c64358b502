import type { LogTask } from './load-log.js';
import { measureLog } from './measure.js';
import type { Peer } from './peers.js';
import type { BenchPulsar } from './pulsar.js';
import { header, rangeOf, row } from './report.js';
import { inRounds, median, type Spread, spreadOf } from './rounds.js';
import { type Extent, PAIRS_TASK, WINDOWS } from './throughput.js';

/** A JVM that has just begun is several times as slow. */
const WARM_UP_MS = 8_000;

const HEAD = ['messages/s', 'range', 'µs/msg', 'cores', 'idle cores'];

/** The program's transport to Pulsar without the program: publishing and consuming by themselves. */
export interface TransportFigure {
  does: LogTask['does'];
  perS: Spread;
  /** CPU of its process, all threads. */
  cpuUs: number;
  cores: number;
  idleCores: number;
}

export async function transport(pulsar: BenchPulsar, extent: Extent): Promise<TransportFigure[]> {
  const turns = (['publish', 'consume'] as const).map((does) => ({ does, peer: peerOf(pulsar) }));
  const taken = await inRounds(turns, extent, ({ does, peer }) => measureLog(peer, taskOf(pulsar, does, extent)));
  console.log(header('Transport alone', HEAD));
  return turns.map(({ does }, i) => {
    const each = taken[i] ?? [];
    const figure = {
      does,
      perS: spreadOf(each.map(({ deliveredPerS }) => deliveredPerS)),
      cpuUs: median(each.map(({ serverCpuUs }) => serverCpuUs ?? Number.NaN)),
      cores: median(each.map(({ loadCores }) => loadCores)),
      idleCores: median(each.map(({ idleCores }) => idleCores)),
    };
    const { perS, cpuUs, cores, idleCores } = figure;
    const numbers = [cpuUs.toFixed(1), cores.toFixed(2), idleCores.toFixed(2)];
    console.log(row(does, [perS.median.toFixed(0), rangeOf(perS, 0), ...numbers]));
    return figure;
  });
}

/** Publishes what `consume` reads later. */
export async function warmUp(pulsar: BenchPulsar): Promise<void> {
  await measureLog(peerOf(pulsar), taskOf(pulsar, 'publish', { warmUpMs: 0, measureMs: WARM_UP_MS }));
}

function taskOf(
  { log, web, namespace }: BenchPulsar,
  does: LogTask['does'],
  { warmUpMs, measureMs }: Pick<Extent, 'warmUpMs' | 'measureMs'>,
): LogTask {
  const { pairs, payloadBytes } = PAIRS_TASK;
  const window = pairs * WINDOWS[1];
  return { log, web, namespace, topic: 'transport', does, keys: pairs, payloadBytes, window, warmUpMs, measureMs };
}

function peerOf({ log }: BenchPulsar): Peer {
  return { name: 'transport', url: log, pid: null, lacks: [] };
}
