import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import type { LoadNote, LoadResult, LoadTask } from './load.js';
import type { LogTask } from './load-log.js';
import type { Peer } from './peers.js';

/** Of Linux, as `getconf CLK_TCK` says on every architecture that Node runs on. */
const TICKS_PER_S = 100;
/** For all connections of a load, and for its end. */
const CONNECT_DEADLINE_MS = 20_000;

export interface Measurement extends LoadResult {
  deliveredPerS: number;
  /** CPU of all threads of the server, user and system, per message delivered; null where its process is not known. */
  serverCpuUs: number | null;
  /** Cores that server and load kept busy. */
  serverCores: number | null;
  loadCores: number;
  /** Cores that nobody on this machine used. */
  idleCores: number;
}

interface Spent {
  /** Of the server; null where its process is not known. */
  serverMs: number | null;
  idleMs: number;
}

/** One run of a load in a new process. */
export function measure(peer: Peer, task: Omit<LoadTask, 'urls'>): Promise<Measurement> {
  return measured(peer, 'load', { ...task, urls: [peer.url] } satisfies LoadTask);
}

/** Where the load has no server in between: its own CPU is what a message costs. */
export async function measureLog(peer: Peer, task: LogTask): Promise<Measurement> {
  const taken = await measured(peer, 'load-log', task);
  return { ...taken, serverCpuUs: (taken.cpuMs * 1_000) / taken.delivered, serverCores: taken.loadCores };
}

async function measured<Task extends { warmUpMs: number; measureMs: number }>(
  peer: Peer,
  file: string,
  task: Task,
): Promise<Measurement> {
  let before: Spent | null = null;
  let taken: Measurement | null = null;
  const deadlineMs = task.warmUpMs + task.measureMs + CONNECT_DEADLINE_MS;
  await runLoad(peer, file, task, deadlineMs, (note: LoadNote) => {
    if (note.note === 'measuring') before = spentSoFar(peer);
    else if (before !== null) taken = summary(note.result, spentSoFar(peer), before);
  });
  if (taken === null) throw new Error('the load measured nothing');
  return taken;
}

/** Runs dist/bench/FILE.mjs, hands it its task, hands on what it says, and may answer. Rejects where it fails or is late. */
export function runLoad<T>(
  peer: Peer,
  file: string,
  task: object,
  deadlineMs: number,
  onNote: (note: T, answer: (message: string) => void) => void,
): Promise<void> {
  const load = fork(`dist/bench/${file}.mjs`, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const deadline = setTimeout(() => load.kill('SIGKILL'), deadlineMs);
  return new Promise((resolve, reject) => {
    load.on('message', (message) => onNote(message as T, (answer) => load.send(answer)));
    load.on('error', reject);
    load.on('exit', (code, signal) => {
      clearTimeout(deadline);
      if (code === 0) resolve();
      else reject(new Error(`the load on ${peer.name} ended with ${code ?? signal}`));
    });
    load.send(task);
  });
}

function summary(result: LoadResult, after: Spent, before: Spent): Measurement {
  const cpuMs = after.serverMs === null || before.serverMs === null ? null : after.serverMs - before.serverMs;
  return {
    ...result,
    deliveredPerS: (result.delivered / result.measuredMs) * 1_000,
    serverCpuUs: cpuMs === null ? null : (cpuMs * 1_000) / result.delivered,
    serverCores: cpuMs === null ? null : cpuMs / result.measuredMs,
    loadCores: result.cpuMs / result.measuredMs,
    idleCores: (after.idleMs - before.idleMs) / result.measuredMs,
  };
}

function spentSoFar(peer: Peer): Spent {
  return { serverMs: cpuMsOf(peer.pid), idleMs: cpus().reduce((sum, { times }) => sum + times.idle, 0) };
}

/** User and system time of all threads so far. */
export function cpuMsOf(pid: number | null): number | null {
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

export function residentBytes({ pid }: Peer): number | null {
  if (pid === null) return null;
  try {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
  } catch {
    return null;
  }
}
