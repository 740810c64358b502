import { parse } from 'yaml';
import { version } from '../../package.json';
import type { SocketListener } from '../adapters/socket/listening.js';
import { systemClock } from '../adapters/system/clock.js';
import type { Authenticator } from '../ports/authenticator.js';
import { PortError } from '../ports/errors.js';
import type { Accept } from '../ports/peer.js';
import { silent, type Telemetry } from '../ports/telemetry.js';
import { DueWills } from '../runtime/due-wills.js';
import { Edge } from '../runtime/edge.js';
import { Presence } from '../runtime/presence.js';
import { Publisher } from '../runtime/publisher.js';
import { takeOverWith } from '../runtime/take-over.js';
import type { Worker } from '../runtime/worker.js';
import { authenticatorOf } from './authenticator.js';
import { openBacking } from './backing.js';
import { bringUp } from './bring-up.js';
import { Fleet } from './fleet.js';
import { openListener } from './listeners.js';
import { pagesOf } from './pages.js';
import { checkPulsarFiles } from './pulsar-settings.js';
import { gatewayPartOf, openSecrets } from './remote-parts.js';
import type { Settings } from './settings.js';
import { readTls } from './tls.js';

/** Telemetry whose counters can be read. */
export type CountingTelemetry = Telemetry & { snapshot(): Readonly<Record<string, number>> };

export interface Running {
  /** As clients may dial them. */
  urls: string[];
  /** Why clients are not let in, or may not be served; null: all is well. */
  problem(): string | null;
  /** Reads certificate and key anew, for the handshakes from now on. Throws, and changes nothing, where they are no good. */
  renewTls(): void;
  /** Says goodbye to clients, finishes commits, lets the data directory go. */
  close(): Promise<void>;
  /** Resolves, with the reason, when it cannot go on and has to be started again. */
  failed: Promise<unknown>;
}

/**
 * Edge and worker in one process, or one of them. Resolves when clients may come, or when log or store have not answered at first: then they
 * are tried on, and until they do clients are told that the server is unavailable.
 */
export async function start(settings: Settings, telemetry: CountingTelemetry): Promise<Running> {
  if (settings.log.kind === 'pulsar') checkPulsarFiles(settings.log);
  const tls = readTls(settings.tls);
  const clock = systemClock;
  const secrets = openSecrets(settings);
  const authenticator = authenticatorOf(settings, { clock, telemetry, secrets, parse });
  const { limits, routes, role } = settings;
  const backing = await openBacking({ settings, clock, telemetry, secrets });
  const { log, store } = backing;
  const gateway = gatewayPartOf(settings);
  const publisher = new Publisher({
    log,
    store,
    routes,
    discover: (logTopic) => fleet.discover(logTopic),
    acknowledged: (receipt) => fleet.acknowledged(receipt),
    lateMaxMs: settings.log.kind === 'pulsar' ? limits.appendDeadlineMs : 0,
  });
  const self = () => fleet.name;
  const presence = new Presence({ store: store.presence, clock, edge: self });
  const listeners: SocketListener[] = [];
  const gate: Authenticator = {
    authenticate: async (credentials) => {
      if (!fleet.isUp) throw new PortError('unavailable', 'log or store have not answered yet');
      return authenticator.authenticate(credentials);
    },
  };
  let fail: (error: unknown) => void = () => {};
  const failed = new Promise<unknown>((resolve) => {
    fail = resolve;
  });
  const sum = (count: (worker: Worker) => number) =>
    fleet.workers().reduce((total, worker) => total + count(worker), 0);
  const facts = () => ({
    version,
    connections: edge.connectionCount,
    sessions: sum(({ sessionCount }) => sessionCount),
    subscriptions: sum(({ subscriptionCount }) => subscriptionCount),
    backlogAgeMs: Math.max(0, ...fleet.workers().map(({ backlogAgeMs }) => backlogAgeMs)),
    counters: telemetry.snapshot(),
  });
  const shared = { clock, telemetry, log, store, routes, presence, publisher, ...gateway };
  const fleet: Fleet = new Fleet({
    ...shared,
    backing,
    settings,
    edge: () => edge,
    holder: clock.unique(),
    facts,
    failed: fail,
  });
  const wills = new DueWills(shared);
  const takeOver = takeOverWith({ log, gateway: gateway.gateway?.gateway ?? null });
  const edge: Edge = new Edge(
    { ...shared, authenticator: gate, inbound: store.inbound, sessions: fleet.router, wills, takeOver, self },
    { ...limits, noShares: settings.shards > 1 },
  );
  const up = bringUp({ clock, telemetry, backing, startWorker: () => fleet.join() });
  const close = async (): Promise<void> => {
    up.stop();
    await Promise.all(listeners.map((listener) => listener.stop()));
    await edge.close(limits.drainMs);
    await Promise.all(listeners.map((listener) => listener.close()));
    await up.stopped;
    await fleet.close();
    await backing.close();
  };
  try {
    await up.tried;
    up.failed.then(fail);
    const checkToken = authenticator.checkToken?.bind(authenticator);
    const accept = role === 'fan-out' ? turnAway : edge.accept;
    const options = { tls, packetMaxBytes: limits.packetMaxBytes, pages: pagesOf(up.problem, facts), checkToken };
    for (const listen of settings.listen) listeners.push(await openListener(listen, options, accept));
    const renewTls = (): void => {
      const renewed = readTls(settings.tls);
      for (const listener of listeners) if (renewed) listener.renew(renewed);
    };
    return { urls: listeners.map((listener) => listener.url), problem: up.problem, renewTls, close, failed };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Of a process that takes no clients: its listeners are for its pages. */
const turnAway: Accept = (peer) => {
  peer.close('policy');
  return { received() {}, refused() {}, closed() {} };
};

/** Reads the files that the settings name, as starting would; throws naming what is wrong with them. */
export function checkFiles(settings: Settings): void {
  if (settings.log.kind === 'pulsar') checkPulsarFiles(settings.log);
  authenticatorOf(settings, { clock: systemClock, telemetry: silent, secrets: openSecrets(settings), parse });
  readTls(settings.tls);
}
