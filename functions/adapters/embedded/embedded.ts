import type { Clock } from '../../ports/clock.js';
import { PortError } from '../../ports/errors.js';
import type { Log } from '../../ports/log.js';
import type { Store } from '../../ports/store.js';
import { DataDirectoryError } from './data-directory-error.js';
import { openEnvironment } from './environment.js';
import { EmbeddedLog } from './log.js';
import { EmbeddedStore } from './store.js';
import type { Retention } from './trim.js';

export interface EmbeddedOptions {
  shards?: number;
  /** Bytes of address space to begin with; it grows by itself. */
  mapSize?: number;
  retention?: Retention;
  clock?: Pick<Clock, 'now'>;
}

export interface Embedded {
  log: Log;
  store: Store;
  close(): Promise<void>;
}

/** Log and store in one directory, which this process then holds. Rejects with `DataDirectoryError`. */
export async function openEmbedded(directory: string, options: EmbeddedOptions = {}): Promise<Embedded> {
  const { shards, mapSize, retention, clock } = options;
  const env = await openEnvironment(directory, mapSize === undefined ? {} : { mapSize });
  const now = clock ? () => clock.now() : Date.now;
  try {
    const log = new EmbeddedLog(env, { now, ...(retention && { retention }) });
    const store = new EmbeddedStore(env, { now, ...(shards === undefined ? {} : { shards }) });
    const close = async (): Promise<void> => {
      await Promise.all([log.close(), store.close()]);
      await env.close();
    };
    return { log, store, close };
  } catch (error) {
    await env.close();
    // The last batch of a topic did not read, or a table could not be made.
    const code = error instanceof PortError ? 'corrupt' : 'unusable';
    throw new DataDirectoryError(code, `${directory}: ${(error as Error).message}`, { cause: error });
  }
}
