import { functionClock } from '../adapters/system/clock.js';
import { pinoTelemetry } from '../adapters/telemetry/pino.js';
import type { Authenticator } from '../ports/authenticator.js';
import type { Clock } from '../ports/clock.js';
import type { ConnectionStore } from '../ports/connections.js';
import type { Gateway } from '../ports/gateway.js';
import type { Log } from '../ports/log.js';
import type { Store } from '../ports/store.js';
import type { Telemetry } from '../ports/telemetry.js';
import { GatewayEdge } from '../runtime/gateway-edge.js';
import { GatewayFrames } from '../runtime/gateway-frames.js';
import { Publisher } from '../runtime/publisher.js';
import { type RemoteCommands, toCommandRecord } from '../runtime/remote-commands.js';
import { takeOverWith } from '../runtime/take-over.js';
import { commandTopic } from '../topics/command-topic.js';
import { shardOf } from '../topics/shard.js';
import { authenticatorOf } from './authenticator.js';
import { openConnections, openGateway, openLog, openSecrets, openStore } from './remote-parts.js';
import { readCommand, type Settings } from './settings.js';

/** What the three functions of the gateway edge share. */
export interface GatewayFunctions {
  frames: GatewayFrames;
  authenticator: Authenticator;
  telemetry: Telemetry;
}

export interface GatewayFunctionsParts {
  clock: Clock;
  telemetry: Telemetry;
  authenticator: Authenticator;
  log: Log;
  store: Store;
  connections: ConnectionStore;
  gateway: Gateway;
}

/** Seconds: what a client that can be told of it is told. Beyond this API Gateway closes what is idle. */
const KEEP_ALIVE_S = 540;
/** An append in doubt is waited for, and looked for, within the 29 s that a function has. */
const APPEND_DEADLINE_MAX_MS = 10_000;

let opened: Promise<GatewayFunctions> | undefined;

/** Made by the first invocation of a process that needs it, and kept for those after it. Rejects where the settings are no good. */
export function gatewayFunctions(): Promise<GatewayFunctions> {
  opened ??= open().catch((error: unknown) => {
    opened = undefined;
    // Once for each invocation: nothing works before it is mended.
    process.stderr.write(`Pulsegate cannot start:\n${error instanceof Error ? error.message : error}\n`);
    throw error;
  });
  return opened;
}

export function gatewayFunctionsOf(parts: GatewayFunctionsParts, settings: Settings): GatewayFunctions {
  const { clock, telemetry, authenticator, log, store, connections, gateway } = parts;
  const { limits, routes, shards } = settings;
  // Topics that come to be are found by the worker by itself.
  const lateMaxMs = limits.appendDeadlineMs;
  const publisher = new Publisher({ log, store, routes, discover: () => null, lateMaxMs });
  const tell = async (commands: RemoteCommands) => {
    await log.append(commandTopic(shardOf(commands.clientId, shards)), toCommandRecord(commands));
  };
  const { presence, inbound } = store;
  const takeOver = takeOverWith({ log, gateway });
  const edgeParts = { clock, telemetry, authenticator, presence, inbound, connections, publisher, takeOver, tell };
  const packetMaxBytes = Math.min(limits.packetMaxBytes, limits.gatewayPacketMaxBytes);
  const edge = new GatewayEdge(edgeParts, {
    ...limits,
    packetMaxBytes,
    receiveMaximum: Math.min(limits.receiveMaximum, limits.gatewayReceiveMaximum),
    // Topics of any length would have to go into the connection's row, which each frame writes.
    topicAliasMaximum: 0,
    noShares: shards > 1,
    mayRepeat: true,
    keepAliveFixedS: KEEP_ALIVE_S,
  });
  return { frames: new GatewayFrames(edgeParts, edge, packetMaxBytes), authenticator, telemetry };
}

async function open(): Promise<GatewayFunctions> {
  const command = readCommand([], process.env, () => null);
  if (command.kind !== 'run') throw refused('problems' in command ? command.problems : [command.kind]);
  const asked = command.settings;
  const appendDeadlineMs = Math.min(asked.limits.appendDeadlineMs, APPEND_DEADLINE_MAX_MS);
  const settings = { ...asked, limits: { ...asked.limits, appendDeadlineMs } };
  const { log, store, gateway, limits } = settings;
  const problems: string[] = [];
  if (process.env.PULSEGATE_AUTH === undefined)
    problems.push('PULSEGATE_AUTH is not set, and everybody can reach this');
  if (gateway === null) problems.push('PULSEGATE_GATEWAY is not set');
  if (log.kind !== 'pulsar') problems.push('PULSEGATE_LOG has to be a Pulsar');
  if (store.kind !== 'dynamodb') problems.push('PULSEGATE_STORE has to be dynamodb:…');
  if (gateway === null || log.kind !== 'pulsar' || store.kind !== 'dynamodb' || problems.length > 0) {
    throw refused(problems);
  }
  const telemetry = pinoTelemetry(settings.logLevel);
  const secrets = openSecrets(settings);
  const parts = {
    clock: functionClock,
    telemetry,
    authenticator: authenticatorOf(settings, { clock: functionClock, telemetry, secrets, parse: JSON.parse }),
    log: await openLog(log, { settings, telemetry, secrets }),
    store: openStore(store, settings.shards).store,
    connections: openConnections(store),
    gateway: openGateway(gateway, limits),
  };
  return gatewayFunctionsOf(parts, settings);
}

function refused(problems: readonly string[]): Error {
  return new Error(problems.map((problem) => `- ${problem}`).join('\n'));
}
