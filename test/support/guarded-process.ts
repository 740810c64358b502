import { type ChildProcess, spawn } from 'node:child_process';

/** Nothing that a test starts outlives this, whatever becomes of the test. */
const LIFETIME_MAX_MS = 900_000;

/**
 * Between a test and what it starts: ends that when its own standard input ends, which the kernel sees to even where the test's process
 * is killed, and after the longest time that a run may take. In words of plain Node, as it is not bundled.
 */
export const GUARD = `
  const child = require('node:child_process').spawn(process.argv[2], process.argv.slice(3), { stdio: ['ignore', 'inherit', 'inherit'] });
  const end = () => child.kill('SIGKILL');
  child.on('error', (error) => { console.error(error.message); process.exit(1); });
  child.on('exit', (code) => process.exit(code ?? 1));
  process.stdin.on('end', end).on('error', end).resume();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, end);
  setTimeout(end, Number(process.argv[1]));
`;

export interface GuardedProcess {
  process: ChildProcess;
  /** What it has printed, its end. */
  printed(): string;
  /** Rejects when it ends, with what it printed last. */
  ended: Promise<never>;
  stop(): Promise<void>;
}

/** Starts a program that ends when this process does, however that ends. */
export function startGuarded(command: string, args: readonly string[], lifetimeMs = LIFETIME_MAX_MS): GuardedProcess {
  const guard = spawn(process.execPath, ['-e', GUARD, '--', String(lifetimeMs), command, ...args], { stdio: 'pipe' });
  let output = '';
  for (const stream of [guard.stdout, guard.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-4_000);
    });
  }
  const exit = new Promise<void>((resolve) => guard.once('exit', () => resolve()));
  const ended = exit.then(() => {
    throw new Error(`${command} ended: ${output.trim()}`);
  });
  ended.catch(() => {});
  guard.stdin.on('error', () => {});
  return {
    process: guard,
    printed: () => output,
    ended,
    async stop() {
      guard.stdin.end();
      await exit;
    },
  };
}
