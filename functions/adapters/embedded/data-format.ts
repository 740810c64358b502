import { open, type RootDatabase } from 'lmdb';
import { DataDirectoryError } from './data-directory-error.js';

export const FORMAT_KEY = 'format';
/** Raised by a change that older programs would misread; those then refuse the directory as `newer`. */
export const FORMAT_ROW = { format: 'pulsegate', version: 1 };
/** Tables of log and store together; LMDB wants to know when it opens. */
const TABLES_MAX = 16;
/** A name with a dot in it would be taken for a file's. */
export const OPENING = { maxDbs: TABLES_MAX, noSubdir: false };

/** Rejects `foreign`, `newer` and `corrupt`. Opens read-only, so that nothing of a foreign directory's data is touched. */
export async function checkFormat(directory: string): Promise<void> {
  let root: RootDatabase<unknown, string>;
  let row: { format?: unknown; version?: unknown } | undefined;
  try {
    root = open<unknown, string>({ ...OPENING, path: directory, readOnly: true });
  } catch (error) {
    throw new DataDirectoryError(
      'corrupt',
      `${directory}: LMDB does not open it: ${error instanceof Error ? error.message : error}`,
      { cause: error },
    );
  }
  try {
    row = root.get(FORMAT_KEY) as typeof row;
  } catch {
    // Not msgpack: not ours.
  } finally {
    await root.close();
  }
  if (row?.format !== FORMAT_ROW.format) {
    throw new DataDirectoryError('foreign', `${directory} holds an LMDB database that is not Pulsegate's`);
  }
  if (typeof row.version !== 'number' || row.version > FORMAT_ROW.version) {
    const versions = `version ${row.version}, this program reads up to ${FORMAT_ROW.version}`;
    throw new DataDirectoryError('newer', `${directory} was written by a newer Pulsegate: ${versions}`);
  }
}
