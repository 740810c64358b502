import type { Environment, Table } from './environment.js';
import { clientKey, generationKey, keysUnder } from './keys.js';
import { ROWS_MAX, rowsWithin, type StoredRow } from './rows.js';

/**
 * Removes a client's rows of all generations but `keep`, or of all. Their LMDB version is a number that rises with every
 * write, so that rows written after this was called stay, although it takes more than one commit.
 */
export async function clearClient<V>(
  env: Environment,
  rows: Table<V>,
  clientId: string,
  keep: number | null,
): Promise<void> {
  const before = env.nextVersion();
  // What was written before and is not committed yet must be seen by the scan.
  await env.committed();
  const kept = keep === null ? undefined : generationKey(clientId, keep);
  const range = keysUnder(clientKey(clientId));
  let after: Buffer | null = null;
  for (;;) {
    const found: StoredRow<V>[] = env.read(() => rowsWithin(rows, range, after, ROWS_MAX));
    const doomed = found.filter(({ key, version }) => version! < before && !startsWith(key, kept));
    await Promise.all(doomed.map(({ key, version }) => env.write(() => rows.remove(key, version!))));
    if (found.length < ROWS_MAX) return;
    after = found.at(-1)!.key;
  }
}

function startsWith(key: Buffer, prefix: Buffer | undefined): boolean {
  return prefix?.equals(key.subarray(0, prefix.length)) ?? false;
}
