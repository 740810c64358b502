import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { LoadNote, LoadResult, LoadTask } from './load.js';

/** Of Linux, as `getconf CLK_TCK` says on every architecture that Node runs on. */
const TICKS_PER_S = 100;
/** For all connections of a load, and for its end. */
const CONNECT_DEADLINE_MS = 60_000;

/** What is measured: somewhere to connect to, and its process where it is known. */
export interface Peer {
  name: string;
  url: string;
  pid: number | null;
  knows: 'all' | 'exact filters, QoS 0 and 1';
  /** Of connections at once; left out: none that matters here. */
  connectionsMax?: number;
}

export interface Measurement extends LoadResult {
  deliveredPerS: number;
  /** CPU of all threads of the server, user and system, per message delivered; null where its process is not known. */
  serverCpuUs: number | null;
  /** Cores that server and load kept busy. */
  serverCores: number | null;
  loadCores: number;
}

/** One run of a load in a new process. */
export function measure(peer: Peer, task: Omit<LoadTask, 'url'>): Promise<Measurement> {
  const load = fork('dist/bench/load.mjs', { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  load.send({ ...task, url: peer.url } satisfies LoadTask);
  const deadline = setTimeout(() => load.kill('SIGKILL'), task.warmUpMs + task.measureMs + CONNECT_DEADLINE_MS);
  return new Promise((resolve, reject) => {
    let cpuBefore: number | null = null;
    let result: Measurement | null = null;
    load.on('message', (message) => {
      const said = message as LoadNote;
      if (said.note === 'measuring') cpuBefore = cpuMsOf(peer);
      else result = summary(said.result, cpuMsOf(peer), cpuBefore);
    });
    load.on('error', reject);
    load.on('exit', (code) => {
      clearTimeout(deadline);
      if (result !== null) resolve(result);
      else reject(new Error(`the load on ${peer.name} ended with ${code}`));
    });
  });
}

function summary(result: LoadResult, cpuAfter: number | null, cpuBefore: number | null): Measurement {
  const cpuMs = cpuAfter === null || cpuBefore === null ? null : cpuAfter - cpuBefore;
  return {
    ...result,
    deliveredPerS: (result.delivered / result.measuredMs) * 1_000,
    serverCpuUs: cpuMs === null ? null : (cpuMs * 1_000) / result.delivered,
    serverCores: cpuMs === null ? null : cpuMs / result.measuredMs,
    loadCores: result.cpuMs / result.measuredMs,
  };
}

/** User and system time of all threads so far. */
function cpuMsOf({ pid }: Peer): number | null {
  if (pid === null) return null;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command in brackets, which may hold blanks; utime and stime are the 14th and 15th of all.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return ((Number(fields[11]) + Number(fields[12])) / TICKS_PER_S) * 1_000;
  } catch {
    return null;
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}
