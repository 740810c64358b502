import { readFileSync } from 'node:fs';
import { LoadClient } from './load-client.js';
import type { Peer } from './measure.js';

/** Connections being opened at a time. */
const AT_ONCE = 64;

/** Clients a second that connect, subscribe to a topic of their own, and have their SUBACK. */
export async function connectRate(peer: Peer, clients: number, persistent: boolean): Promise<number> {
  const begun = performance.now();
  const open = await openMany(peer, clients, `rate-${persistent}`, !persistent);
  const perS = (clients / (performance.now() - begun)) * 1_000;
  for (const client of open) client.end();
  return perS;
}

/** Bytes of resident memory that one idle connection with a subscription adds to the server's process. */
export async function idleBytes(peer: Peer, clients: number): Promise<number | null> {
  const before = residentBytes(peer);
  const open = await openMany(peer, clients, 'idle', true);
  const after = residentBytes(peer);
  for (const client of open) client.end();
  return before === null || after === null ? null : (after - before) / clients;
}

async function openMany(peer: Peer, clients: number, prefix: string, clean: boolean): Promise<LoadClient[]> {
  const open: LoadClient[] = [];
  let next = 0;
  const openNext = async () => {
    for (let i = next++; i < clients; i = next++) {
      const id = `${prefix}-${process.pid}-${i}`;
      open.push(await LoadClient.connect(peer.url, id, { topic: `idle/${id}`, qos: 1 }, clean));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, openNext));
  return open;
}

function residentBytes({ pid }: Peer): number | null {
  if (pid === null) return null;
  try {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
  } catch {
    return null;
  }
}
