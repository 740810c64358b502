import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { DataDirectoryError } from './data-directory-error.js';

/** From LMDB's `MDB_meta`, all little-endian here: magic and format, then the two core trees, each with its root page. */
const MAGIC = 0xbeefc0de;
const MAGIC_OFFSET = 24;
const PAGE_SIZE_OFFSET = 48;
const ROOT_OFFSETS = [88, 136];
const TRANSACTION_OFFSET = 152;
const META_BYTES = 168;
const NO_PAGE = 0xffff_ffff_ffff_ffffn;

/**
 * Looks at a data file before LMDB maps it: a file that is cut short would kill the process with SIGBUS, and LMDB would
 * make one of less than a page anew. Resolves whether there is one. Throws `corrupt`, and `unusable` where it cannot be read.
 */
export function checkDataFile(directory: string, path: string): boolean {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw new DataDirectoryError('unusable', `${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) throw new DataDirectoryError('unusable', `${path} is not a file`);
    // A first start that was cut off before it wrote anything.
    if (stat.size === 0) return false;
    const problem = metaProblem(file, stat.size);
    if (problem) throw new DataDirectoryError('corrupt', `${directory}: data.mdb is damaged: ${problem}`);
    return true;
  } finally {
    closeSync(file);
  }
}

function metaProblem(file: number, bytes: number): string | undefined {
  const first = readMeta(file, 0);
  if (first === undefined) return `it has ${bytes} bytes`;
  if (first.readUInt32LE(MAGIC_OFFSET) !== MAGIC) return 'it is not an LMDB file';
  const pageSize = first.readUInt32LE(PAGE_SIZE_OFFSET);
  const second = readMeta(file, pageSize);
  if (second === undefined || bytes < 2 * pageSize) return `it is cut off after ${bytes} bytes`;
  const newest = transaction(second) > transaction(first) ? second : first;
  for (const offset of ROOT_OFFSETS) {
    const page = newest.readBigUInt64LE(offset);
    if (page !== NO_PAGE && (page + 1n) * BigInt(pageSize) > BigInt(bytes)) return `it is cut off after ${bytes} bytes`;
  }
  return undefined;
}

function transaction(meta: Buffer): bigint {
  return meta.readBigUInt64LE(TRANSACTION_OFFSET);
}

function readMeta(file: number, position: number): Buffer | undefined {
  const meta = Buffer.alloc(META_BYTES);
  return readSync(file, meta, 0, META_BYTES, position) === META_BYTES ? meta : undefined;
}
