import { readFileSync } from 'node:fs';
import type { ConnectsResult, ConnectsTask } from './load-connects.js';
import { residentBytes, runLoad } from './measure.js';
import type { Feature, Peer } from './peers.js';
import { BUSY_CORES, header, rangeOf, row } from './report.js';
import { inRounds, median, type Rounds, type Spread, spreadOf } from './rounds.js';

/** As many as Mosquitto takes over WebSocket. */
const CLIENTS = 800;
const IDLE = 5_000;
const DEADLINE_MS = 60_000;
/** What a process has open besides its connections, generously. */
const OTHER_FILES = 200;

const HEAD = ['clients/s', 'range', 'load cores', 'bound by'];

const KINDS = {
  '3.1.1, clean': { session: { level: 4, clean: true }, needs: [] },
  'MQTT 5, clean': { session: { level: 5, clean: true }, needs: ['MQTT 5'] },
  'MQTT 5, kept': { session: { level: 5, clean: false }, needs: ['MQTT 5', 'kept sessions'] },
} as const satisfies Record<string, { session: ConnectsTask['session']; needs: readonly Feature[] }>;

/** Clients a second that have their SUBACK, by kind and peer; cores that their process kept busy. */
export type ConnectRates = Record<string, { name: string; perS: Spread; loadCores: number }[]>;

export async function connectRates(peers: readonly Peer[], rounds: Rounds): Promise<ConnectRates> {
  const turns = Object.entries(KINDS).flatMap(([kind, { session, needs }]) =>
    peers
      .filter(({ lacks }) => !needs.some((feature) => lacks.includes(feature)))
      .map((peer) => ({ kind, session, peer })),
  );
  const taken = await inRounds(turns, rounds, ({ peer, session }) => connects(peer, { clients: CLIENTS, session }));
  const rates: ConnectRates = {};
  for (const [i, { kind, peer }] of turns.entries()) {
    const each = taken[i] ?? [];
    if (rates[kind] === undefined) console.log(header(`Connect, subscribe: ${kind}`, HEAD));
    rates[kind] ??= [];
    if (each.length === 0) continue;
    const perS = spreadOf(each.map(({ tookMs }) => CLIENTS / (tookMs / 1_000)));
    const loadCores = median(each.map(({ cpuMs, tookMs }) => cpuMs / tookMs));
    const bound = loadCores >= BUSY_CORES ? 'load' : 'not the load';
    console.log(row(peer.name, [perS.median.toFixed(0), rangeOf(perS, 0), loadCores.toFixed(2), bound]));
    rates[kind].push({ name: peer.name, perS, loadCores });
  }
  return rates;
}

export interface IdleSizes {
  connections: number;
  /** Resident bytes of the server's process, empty and with them. */
  peers: { name: string; emptyBytes: number; fullBytes: number; perConnectionBytes: number }[];
}

/** `starts` gives servers that nobody was connected to yet: memory once used would hide what connections take. */
export async function idleSizes(
  starts: readonly ((take: (peer: Peer) => Promise<void>) => Promise<void>)[],
): Promise<IdleSizes> {
  const connections = Math.min(IDLE, openFilesMax() - OTHER_FILES);
  if (connections < IDLE) console.log(`\nOnly ${connections} idle connections: no more files may be open (ulimit -n).`);
  console.log(header(`${connections} idle connections`, ['empty MiB', 'with them', 'KiB each']));
  const sizes: IdleSizes = { connections, peers: [] };
  for (const start of starts) {
    await start(async (peer) => {
      if ((peer.connectionsMax ?? connections) < connections) return;
      const emptyBytes = residentBytes(peer);
      let fullBytes: number | null = null;
      await connects(peer, { clients: connections, session: { level: 4, clean: true } }, () => {
        fullBytes = residentBytes(peer);
      });
      if (emptyBytes === null || fullBytes === null) return;
      const perConnectionBytes = (fullBytes - emptyBytes) / connections;
      const mib = [emptyBytes, fullBytes].map((bytes) => (bytes / 2 ** 20).toFixed(0));
      console.log(row(peer.name, [...mib, (perConnectionBytes / 1024).toFixed(1)]));
      sizes.peers.push({ name: peer.name, emptyBytes, fullBytes, perConnectionBytes });
    });
  }
  return sizes;
}

/** `whenOpen` is called while all are connected. */
async function connects(
  peer: Peer,
  task: Omit<ConnectsTask, 'url'>,
  whenOpen: () => void = () => {},
): Promise<ConnectsResult> {
  let result: ConnectsResult | null = null;
  await runLoad(
    peer,
    'load-connects',
    { ...task, url: peer.url } satisfies ConnectsTask,
    DEADLINE_MS,
    (note: ConnectsResult, answer) => {
      result = note;
      whenOpen();
      answer('end');
    },
  );
  if (result === null) throw new Error('the load ended before all were connected');
  return result;
}

/** Of this process, and so of those that it starts. */
function openFilesMax(): number {
  try {
    const line = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
    return Number(line?.[1] ?? Number.POSITIVE_INFINITY);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
