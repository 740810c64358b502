import { statfsSync } from 'node:fs';
import { constants } from 'node:os';
import { PortError } from '../../ports/errors.js';

const MDB_MAP_FULL = -30792;
const { ENOSPC, EDQUOT, EFBIG, EIO } = constants.errno;
/** LMDB reports a short write, which is how most disks fill up, as EIO: below this much free space it is taken for that. */
const FREE_MIN_BYTES = 16 * 1024 * 1024;

/** What LMDB said, in the ports' words. `directory` lets EIO be told from a full disk. */
export function toPortError(error: unknown, directory?: string): PortError {
  if (error instanceof PortError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const code = (error as { code?: unknown } | undefined)?.code;
  const full =
    code === MDB_MAP_FULL ||
    code === ENOSPC ||
    code === EDQUOT ||
    code === EFBIG ||
    (code === EIO && !hasRoom(directory));
  return new PortError(full ? 'full' : 'unavailable', `LMDB: ${message}`, { cause: error });
}

export function isIoError(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === EIO;
}

/** Visible and not flushed: in doubt. */
export function unflushed(cause: unknown): PortError {
  return new PortError('unavailable', 'LMDB: a commit was not flushed to disk', { cause });
}

export function closed(): PortError {
  return new PortError('gone', 'the embedded database is closed');
}

function hasRoom(directory: string | undefined): boolean {
  if (directory === undefined) return true;
  try {
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize >= FREE_MIN_BYTES;
  } catch {
    return true;
  }
}
