import { createTables } from '../adapters/dynamodb/create-tables.js';
import { type DynamoOptions, dynamoStore } from '../adapters/dynamodb/open.js';
import { openEmbedded } from '../adapters/embedded/embedded.js';
import { openPulsarLog } from '../adapters/pulsar/open.js';
import type { Clock } from '../ports/clock.js';
import type { Log } from '../ports/log.js';
import type { Store } from '../ports/store.js';
import type { Telemetry } from '../ports/telemetry.js';
import type { Routes } from '../topics/routes.js';
import type { StoreSetting } from './setting-readers.js';
import type { Settings } from './settings.js';

/** The log and the store, as the settings choose them. */
export interface Backing {
  log: Log;
  store: Store;
  /** Resolves when both answer, and are what was expected. Rejects with `PortError`; `unavailable` may pass. */
  prepare(): Promise<void>;
  /** Resolves where both answer now. */
  check(): Promise<void>;
  close(): Promise<void>;
}

interface Parts {
  settings: Settings;
  clock: Clock;
  telemetry: Telemetry;
  routes: Routes;
}

/** Waits for nothing that is elsewhere. Rejects where a data directory, the native addon or a file is no good. */
export async function openBacking(parts: Parts): Promise<Backing> {
  const { settings } = parts;
  const embedded = await openEmbeddedParts(parts);
  const store = storeOf(settings.store, settings.shards) ?? { store: embedded!.store, prepare: async () => {} };
  const log = (await openLog(parts)) ?? embedded!.log;
  return {
    log,
    store: store.store,
    prepare: async () => {
      await Promise.all([log.check(), store.prepare()]);
    },
    check: async () => {
      await Promise.all([log.check(), store.store.check()]);
    },
    close: async () => {
      await Promise.all([log.close(), store.store.close()]);
      await embedded?.close();
    },
  };
}

/** undefined: nothing is kept here. */
async function openEmbeddedParts({ settings, clock }: Parts) {
  const { log, store, shards, limits } = settings;
  const part = [log, store].find((each) => each.kind === 'embedded');
  if (part === undefined) return undefined;
  const retention = { maxAgeMs: limits.retentionMaxAgeS * 1000, maxBytes: limits.retentionMaxBytes };
  return openEmbedded(part.directory, { clock, shards, retention });
}

async function openLog({ settings, telemetry, routes }: Parts): Promise<Log | null> {
  if (settings.log.kind === 'embedded') return null;
  const { kind: _, ...options } = settings.log;
  return openPulsarLog({
    ...options,
    appendDeadlineMs: settings.limits.appendDeadlineMs,
    describe: (topic) => routes.describe(topic),
    tell: (level, event, about) => telemetry.log(level, event, about),
  });
}

function storeOf(setting: StoreSetting, shards: number): { store: Store; prepare: () => Promise<void> } | null {
  if (setting.kind === 'embedded') return null;
  const { prefix, endpoint, make } = setting;
  const region = setting.region ?? process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION;
  if (region === undefined) {
    throw new Error('PULSEGATE_STORE names no region, and neither AWS_REGION nor AWS_DEFAULT_REGION is set');
  }
  const options: DynamoOptions = { region, prefix, shards, ...(endpoint !== null && { endpoint }) };
  const { store, prepare } = dynamoStore(options);
  const makeAndPrepare = async () => {
    await createTables(options);
    await prepare();
  };
  return { store, prepare: make ? makeAndPrepare : prepare };
}
