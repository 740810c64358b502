import type { Environment, Table } from './environment.js';
import { generationKey } from './keys.js';
import { REMOVAL } from './room.js';
import { ROWS_MAX, rowsWithin, type StoredRow } from './rows.js';

/** Removes a client's rows of the generations up to `generation`. */
export async function clearClient<V>(
  env: Environment,
  rows: Table<V>,
  clientId: string,
  generation: number,
): Promise<void> {
  // What was written before and is not committed yet must be seen by the scan.
  await env.committed();
  const range = { start: generationKey(clientId, 0), end: generationKey(clientId, generation + 1) };
  for (;;) {
    const found: StoredRow<V>[] = env.read(() => rowsWithin(rows, range, null, ROWS_MAX));
    await Promise.all(found.map(({ key }) => env.write(REMOVAL, () => rows.remove(key))));
    if (found.length < ROWS_MAX) return;
  }
}
