import { type ChildProcess, fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { freePort } from '../support/ports.js';
import { Program } from '../support/program.js';
import { type Scope, within } from '../support/waiting.js';
import type { BenchPulsar } from './pulsar.js';

/** Not a temporary directory of the system: that may be memory. */
export const DATA = resolve('dist/.bench-data');

export type Feature = 'MQTT 5' | 'QoS 2' | 'wildcards' | 'kept sessions';

/** What is measured: somewhere to connect to, and its process where it is known. */
export interface Peer {
  name: string;
  url: string;
  pid: number | null;
  lacks: readonly Feature[];
  /** Of connections at once; left out: none that matters here. */
  connectionsMax?: number;
}

/** Those that are started here, the program first. Null: not on this machine. */
export const STARTS: Readonly<Record<string, (scope: Scope) => Promise<Peer | null>>> = {
  program: (scope) => program(scope),
  relay: (scope) => relay(scope, 'relay', []),
  'joined relay': (scope) => relay(scope, 'joined relay', ['join']),
  aedes: (scope) => forked(scope, 'aedes', 'aedes', ['MQTT 5'], []),
  mosquitto,
};

/** Those that have Pulsar behind them, the program first. `store` is its `PULSEGATE_STORE`, where that is not embedded. */
export function pulsarStarts(pulsar: BenchPulsar, store: string | undefined): typeof STARTS {
  const { log, web, namespace } = pulsar;
  const settings = {
    PULSEGATE_LOG: log,
    PULSEGATE_PULSAR_NAMESPACE: namespace,
    ...(log.startsWith('pulsar:') && { PULSEGATE_PULSAR_WEB: web }),
    ...(store !== undefined && { PULSEGATE_STORE: store }),
  };
  const args = [log.replace(/^pulsar\+ws/, 'ws').replace(/\/$/, ''), `persistent://${namespace}/relay`];
  return {
    program: (scope) => program(scope, settings),
    'pulsar relay': (scope) =>
      forked(scope, 'pulsar relay', 'pulsar-relay', ['MQTT 5', 'QoS 2', 'wildcards', 'kept sessions'], args),
  };
}

/** The program as `npm start` starts it, with everything durable. */
async function program(scope: Scope, settings: Readonly<Record<string, string>> = {}): Promise<Peer> {
  const directory = temporaryDirectory(scope, 'run');
  const data = { PULSEGATE_LOG: `embedded:${directory}`, PULSEGATE_STORE: `embedded:${directory}`, ...settings };
  const running = await Program.start(scope, { ...data, PULSEGATE_LOG_LEVEL: 'error' });
  return { name: 'program', url: running.url, pid: running.pid, lacks: [] };
}

function relay(scope: Scope, name: string, args: string[]): Promise<Peer> {
  return forked(scope, name, 'relay', ['MQTT 5', 'QoS 2', 'wildcards', 'kept sessions'], args);
}

/** Debian's; null where it is not installed or has no WebSocket. It stores nothing durably, as its default is. */
async function mosquitto(scope: Scope): Promise<Peer | null> {
  const binary = ['/usr/sbin/mosquitto', 'mosquitto'].find((path) => spawnSync(path, ['-h']).error === undefined);
  if (binary === undefined) return null;
  const config = join(temporaryDirectory(scope, 'mosquitto'), 'mosquitto.conf');
  const port = await freePort();
  const limits = 'max_queued_messages 0\nmax_inflight_messages 0\nset_tcp_nodelay true\n';
  // Its version 2.0 does not start with a WebSocket listener alone.
  const plain = `listener ${await freePort()} 127.0.0.1\n`;
  const webSocket = `listener ${port}\nbind_interface lo\nprotocol websockets\nallow_anonymous true\n`;
  writeFileSync(config, `${plain}${webSocket}${limits}`);
  const child = ending(scope, spawn(binary, ['-c', config], { stdio: 'ignore' }));
  const ended = once(child, 'exit').then(() => false);
  if (!(await Promise.race([isListening(port), ended]))) return null;
  const url = `ws://127.0.0.1:${port}/mqtt`;
  // Its WebSocket listener stalls at some 900.
  return { name: 'mosquitto', url, pid: child.pid ?? null, lacks: [], connectionsMax: 900 };
}

async function forked(
  scope: Scope,
  name: string,
  file: string,
  lacks: readonly Feature[],
  args: string[],
): Promise<Peer> {
  const child = ending(scope, fork(`dist/bench/${file}.mjs`, args));
  const [url] = (await within(`${name} listens`, once(child, 'message'))) as [string];
  return { name, url, pid: child.pid ?? null, lacks };
}

async function isListening(port: number): Promise<boolean> {
  for (let tries = 0; tries < 100; tries += 1) {
    const socket = connect(port, '127.0.0.1');
    const open = await new Promise<boolean>((done) => {
      socket.once('connect', () => done(true)).once('error', () => done(false));
    });
    socket.destroy();
    if (open) return true;
    await new Promise((again) => setTimeout(again, 50));
  }
  return false;
}

const children = new Set<ChildProcess>();
const directories = new Set<string>();

function ending(scope: Scope, child: ChildProcess): ChildProcess {
  children.add(child);
  const exited = once(child, 'exit');
  exited.catch(() => {});
  scope.after(async () => {
    child.kill();
    await exited;
    children.delete(child);
  });
  return child;
}

function temporaryDirectory(scope: Scope, name: string): string {
  mkdirSync(DATA, { recursive: true });
  const directory = mkdtempSync(`${DATA}/${name}-`);
  directories.add(directory);
  scope.after(async () => {
    rmSync(directory, { recursive: true, force: true });
    directories.delete(directory);
  });
  return directory;
}

// Also where a signal ends the bench.
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});
