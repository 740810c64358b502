import { parse } from 'yaml';
import { version } from '../../package.json';
import type { SocketListener } from '../adapters/socket/listening.js';
import { systemClock } from '../adapters/system/clock.js';
import type { Authenticator } from '../ports/authenticator.js';
import { PortError } from '../ports/errors.js';
import type { Receipt } from '../ports/log.js';
import type { SessionCommand } from '../ports/session-commands.js';
import { silent, type Telemetry } from '../ports/telemetry.js';
import { Edge } from '../runtime/edge.js';
import { Presence } from '../runtime/presence.js';
import { Publisher } from '../runtime/publisher.js';
import { publishSystemTopics } from '../runtime/system-topics.js';
import { Worker } from '../runtime/worker.js';
import { authenticatorOf } from './authenticator.js';
import { openBacking } from './backing.js';
import { bringUp } from './bring-up.js';
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
 * Edge and worker in one process. Resolves when clients may come, or when log or store have not answered at first: then they
 * are tried on, and until they do clients are told that the server is unavailable.
 */
export async function start(settings: Settings, telemetry: CountingTelemetry): Promise<Running> {
  if (settings.log.kind === 'pulsar') checkPulsarFiles(settings.log);
  const tls = readTls(settings.tls);
  const clock = systemClock;
  const secrets = openSecrets(settings);
  const authenticator = authenticatorOf(settings, { clock, telemetry, secrets, parse });
  const self = clock.unique();
  const { limits, routes } = settings;
  const backing = await openBacking({ settings, clock, telemetry, secrets });
  const { log, store } = backing;
  const discover = (logTopic: string) => worker?.discover(logTopic) ?? null;
  const acknowledged = (receipt: Receipt) => worker?.acknowledged(receipt);
  const gateway = gatewayPartOf(settings);
  const publisher = new Publisher({ log, store, routes, discover, acknowledged });
  const presence = new Presence({ store: store.presence, clock, edge: self });
  const listeners: SocketListener[] = [];
  // Edge and worker need each other; no client is let in before both are.
  let worker: Worker | undefined;
  let endSystemTopics = () => {};
  const sessions = { tell: (command: SessionCommand) => worker?.tell(command) };
  const gate: Authenticator = {
    authenticate: async (credentials) => {
      if (worker === undefined) throw new PortError('unavailable', 'log or store have not answered yet');
      return authenticator.authenticate(credentials);
    },
  };
  const edge = new Edge(
    { clock, telemetry, authenticator: gate, presence, publisher, inbound: store.inbound, sessions, self },
    limits,
  );
  let fail: (error: unknown) => void = () => {};
  const failed = new Promise<unknown>((resolve) => {
    fail = resolve;
  });
  const facts = () => ({
    version,
    connections: edge.connectionCount,
    sessions: worker?.sessionCount ?? 0,
    subscriptions: worker?.subscriptionCount ?? 0,
    backlogAgeMs: worker?.backlogAgeMs ?? 0,
    counters: telemetry.snapshot(),
  });
  const startWorker = async () => {
    worker = await Worker.start(
      { clock, telemetry, log, store, routes, presence, publisher, edge, ...gateway, failed: fail },
      { shard: 0, owner: self, limits },
    );
    const owned = worker;
    endSystemTopics = publishSystemTopics(clock, facts, (publication) => owned.publishOwn(publication));
  };
  const up = bringUp({ clock, telemetry, backing, startWorker });
  const close = async (): Promise<void> => {
    up.stop();
    await Promise.all(listeners.map((listener) => listener.stop()));
    endSystemTopics();
    await edge.close();
    await Promise.all(listeners.map((listener) => listener.close()));
    await up.stopped;
    await worker?.close();
    await backing.close();
  };
  try {
    await up.tried;
    up.failed.then(fail);
    const checkToken = authenticator.checkToken?.bind(authenticator);
    const options = { tls, packetMaxBytes: limits.packetMaxBytes, pages: pagesOf(up.problem, facts), checkToken };
    for (const listen of settings.listen) listeners.push(await openListener(listen, options, edge.accept));
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

/** Reads the files that the settings name, as starting would; throws naming what is wrong with them. */
export function checkFiles(settings: Settings): void {
  if (settings.log.kind === 'pulsar') checkPulsarFiles(settings.log);
  authenticatorOf(settings, { clock: systemClock, telemetry: silent, secrets: openSecrets(settings), parse });
  readTls(settings.tls);
}
