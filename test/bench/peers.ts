import { fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { freePort } from '../support/ports.js';
import { Program } from '../support/program.js';
import type { Scope } from '../support/waiting.js';
import type { Peer } from './measure.js';

/** Not a temporary directory of the system: that may be memory. */
export const DATA = resolve('dist/.bench-data');

/** The program as `npm start` starts it, with everything durable. */
export async function program(scope: Scope): Promise<Peer> {
  mkdirSync(DATA, { recursive: true });
  const directory = mkdtempSync(`${DATA}/run-`);
  scope.after(async () => rmSync(directory, { recursive: true, force: true }));
  const data = { PULSEGATE_LOG: `embedded:${directory}`, PULSEGATE_STORE: `embedded:${directory}` };
  const running = await Program.start(scope, { ...data, PULSEGATE_LOG_LEVEL: 'error' });
  return { name: 'program', url: running.url, pid: running.pid, knows: 'all' };
}

/** The bare relay; `joined`: one that sends what one event-loop turn produced in one frame. */
export function relay(scope: Scope, joined: boolean): Promise<Peer> {
  const [name, args] = joined ? ['joined relay', ['join']] : ['relay', []];
  return forked(scope, name, 'relay', 'exact filters, QoS 0 and 1', args);
}

export function aedes(scope: Scope): Promise<Peer> {
  return forked(scope, 'aedes', 'aedes', 'all', []);
}

/** Debian's, whose WebSocket listener stalls at some 900 connections; null where it is not installed or has no WebSocket. It stores nothing durably, as its default is. */
export async function mosquitto(scope: Scope): Promise<Peer | null> {
  const binary = ['/usr/sbin/mosquitto', 'mosquitto'].find((path) => spawnSync(path, ['-h']).error === undefined);
  if (binary === undefined) return null;
  mkdirSync(DATA, { recursive: true });
  const directory = mkdtempSync(`${DATA}/mosquitto-`);
  scope.after(async () => rmSync(directory, { recursive: true, force: true }));
  const port = await freePort();
  const limits = 'max_queued_messages 0\nmax_inflight_messages 0\nset_tcp_nodelay true\n';
  // Its version 2.0 does not start with a WebSocket listener alone.
  const plain = `listener ${await freePort()} 127.0.0.1\n`;
  const config = `${plain}listener ${port}\nbind_interface lo\nprotocol websockets\nallow_anonymous true\n${limits}`;
  writeFileSync(join(directory, 'mosquitto.conf'), config);
  const child = spawn(binary, ['-c', join(directory, 'mosquitto.conf')], { stdio: 'ignore' });
  scope.after(async () => void child.kill());
  const ended = once(child, 'exit').then(() => false);
  const answers = await Promise.race([isListening(port), ended]);
  return answers
    ? {
        name: 'mosquitto',
        url: `ws://127.0.0.1:${port}/mqtt`,
        pid: child.pid ?? null,
        knows: 'all',
        connectionsMax: 900,
      }
    : null;
}

async function forked(scope: Scope, name: string, file: string, knows: Peer['knows'], args: string[]): Promise<Peer> {
  const child = fork(`dist/bench/${file}.mjs`, args);
  scope.after(async () => void child.kill());
  const [url] = (await once(child, 'message')) as [string];
  return { name, url, pid: child.pid ?? null, knows };
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
