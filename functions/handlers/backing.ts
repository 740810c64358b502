import { openEmbedded } from '../adapters/embedded/embedded.js';
import type { Clock } from '../ports/clock.js';
import type { LeaseStore } from '../ports/leases.js';
import type { Log } from '../ports/log.js';
import type { Secrets } from '../ports/secrets.js';
import type { Store } from '../ports/store.js';
import type { Telemetry } from '../ports/telemetry.js';
import { makeConnections, openLog, openStore } from './remote-parts.js';
import type { Settings } from './settings.js';

/** The log and the store, as the settings choose them. */
export interface Backing {
  log: Log;
  store: Store;
  /** Where other processes may share both; null: what is embedded is one process's. */
  leases: LeaseStore | null;
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
  secrets: Secrets;
}

/** Waits for nothing that is elsewhere. Rejects where a data directory, the native addon or a file is no good. */
export async function openBacking(parts: Parts): Promise<Backing> {
  const { settings } = parts;
  const embedded = await openEmbeddedParts(parts);
  const store =
    settings.store.kind === 'embedded'
      ? { store: embedded!.store, leases: null, prepare: async () => {} }
      : openStore(settings.store, settings.shards);
  const log = settings.log.kind === 'embedded' ? embedded!.log : await openLog(settings.log, parts);
  return {
    log,
    store: store.store,
    leases: settings.log.kind === 'embedded' ? null : store.leases,
    prepare: async () => {
      await Promise.all([log.check(), store.prepare(), makeConnections(settings)]);
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
