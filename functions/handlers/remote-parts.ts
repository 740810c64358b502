import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { ApiGateway } from '../adapters/api-gateway/gateway.js';
import { ConnectionTable } from '../adapters/dynamodb/connection-table.js';
import { createConnectionsTable, createTables } from '../adapters/dynamodb/create-tables.js';
import { type DynamoOptions, dynamoStore, reshardTable } from '../adapters/dynamodb/open.js';
import { openPulsarLog } from '../adapters/pulsar/open.js';
import { cachedSecrets } from '../adapters/secrets/cached.js';
import { secretsManager } from '../adapters/secrets/secrets-manager.js';
import { serverFrame } from '../dialect/server-frame.js';
import type { LeaseStore } from '../ports/leases.js';
import type { Log } from '../ports/log.js';
import type { Secrets } from '../ports/secrets.js';
import type { Store } from '../ports/store.js';
import type { Telemetry } from '../ports/telemetry.js';
import type { WorkerParts } from '../runtime/worker.js';
import type { Routes } from '../topics/routes.js';
import type { DynamoSetting } from './dynamodb-setting.js';
import type { LogSetting } from './setting-readers.js';
import type { Settings } from './settings.js';

/** Parts that are elsewhere: Pulsar, DynamoDB, API Gateway. Opening waits for none of them. */
export function openLog(
  { kind: _, tokenSecret, ...options }: Extract<LogSetting, { kind: 'pulsar' }>,
  { settings, telemetry, secrets }: { settings: Settings; telemetry: Telemetry; secrets: Secrets },
): Promise<Log> {
  const tokenSource = tokenSecret !== undefined && sourceOf(secrets, tokenSecret);
  return openPulsarLog({
    ...options,
    ...(tokenSource && { tokenSource }),
    appendDeadlineMs: settings.limits.appendDeadlineMs,
    namespaces: namespacesOf(settings.routes),
    describe: (topic) => settings.routes.describe(topic),
    tell: (level, event, about) => telemetry.log(level, event, about),
  });
}

/** What is in AWS Secrets Manager; it is asked only once a secret is wanted. */
export function openSecrets({ limits }: Pick<Settings, 'limits'>): Secrets {
  const fetch = secretsManager(() => regionOf(null));
  return cachedSecrets({ fetch, maxAgeMs: limits.secretsMaxAgeS * 1000, now: () => Date.now() });
}

/** One of the secrets. */
export function sourceOf(secrets: Secrets, name: string): { read(): Promise<string>; renew(): Promise<string> } {
  return { read: () => secrets.read(name), renew: () => secrets.renew(name) };
}

/** Those that the routes spell out. */
function namespacesOf(routes: Routes): string[] {
  const readings = routes
    .readings('#')
    .map((reading) => ('namespace' in reading ? reading.namespace : reading.logTopic));
  return [...routes.named, ...readings].flatMap((name) => {
    const namespace = /^(?:persistent:\/\/)?([^/]+\/[^/]+)(?:\/|$)/.exec(name)?.[1];
    return namespace === undefined ? [] : [namespace];
  });
}

/** `prepare` resolves when the table answers and is what was expected. */
export function openStore(
  setting: DynamoSetting,
  shards: number,
): { store: Store; leases: LeaseStore; prepare: () => Promise<void> } {
  const options = { ...dynamoOptions(setting), shards };
  const { store, leases, prepare } = dynamoStore(options);
  const makeAndPrepare = async () => {
    await createTables(options);
    await prepare();
  };
  return { store, leases, prepare: setting.make ? makeAndPrepare : prepare };
}

/** See `reshardTable`. */
export function reshardStore({ store, shards }: Settings): ReturnType<typeof reshardTable> {
  if (store.kind !== 'dynamodb')
    throw new Error('PULSEGATE_STORE is not in DynamoDB: what is embedded has no shards in its keys');
  return reshardTable({ ...dynamoOptions(store), shards }, (ms) => new Promise((resume) => setTimeout(resume, ms)));
}

/** Where the store's table is made, the connections' is, too. */
export async function makeConnections({ gateway, store }: Settings): Promise<void> {
  if (gateway !== null && store.kind === 'dynamodb' && store.make) await createConnectionsTable(dynamoOptions(store));
}

export function openConnections(setting: DynamoSetting): ConnectionTable {
  return new ConnectionTable(dynamoOptions(setting));
}

export function openGateway(endpoint: string, limits: { gatewayPostsMax: number }): ApiGateway {
  const region = /\.execute-api\.([a-z\d-]+)\./.exec(endpoint)?.[1] ?? regionOf(null);
  return new ApiGateway({ endpoint, region, credentials: defaultProvider(), connections: limits.gatewayPostsMax });
}

/** For a worker: the clients whose connections API Gateway holds; nothing where there are none. */
export function gatewayPartOf({ gateway, store, limits }: Settings): Pick<WorkerParts, 'gateway'> {
  if (gateway === null || store.kind !== 'dynamodb') return {};
  const frame = (epoch: number, number: number, bytes: Uint8Array) =>
    serverFrame({ type: 'worker', epoch, number, bytes });
  return {
    gateway: { gateway: openGateway(gateway, limits), connections: openConnections(store), frame, limits },
  };
}

function dynamoOptions({ prefix, endpoint, region }: DynamoSetting): Omit<DynamoOptions, 'shards'> {
  return { region: regionOf(region), prefix, ...(endpoint !== null && { endpoint }) };
}

function regionOf(given: string | null): string {
  const region = given ?? process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION;
  if (region === undefined) {
    throw new Error('no region is named, and neither AWS_REGION nor AWS_DEFAULT_REGION is set');
  }
  return region;
}
