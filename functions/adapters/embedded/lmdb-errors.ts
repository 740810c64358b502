import { constants } from 'node:os';
import { PortError } from '../../ports/errors.js';

const MDB_MAP_FULL = -30792;
const { ENOSPC, EDQUOT, EFBIG } = constants.errno;
const FULL_CODES: readonly unknown[] = [MDB_MAP_FULL, ENOSPC, EDQUOT, EFBIG, 'ENOSPC', 'EDQUOT', 'EFBIG'];

/** What LMDB or a file said, in the ports' words. */
export function toPortError(error: unknown): PortError {
  if (error instanceof PortError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const full = FULL_CODES.includes((error as { code?: unknown } | undefined)?.code);
  return new PortError(full ? 'full' : 'unavailable', `LMDB: ${message}`, { cause: error });
}

/** Visible and not flushed: in doubt. */
export function unflushed(cause: unknown): PortError {
  return new PortError('unavailable', 'LMDB: a commit was not flushed to disk', { cause });
}

export function closed(): PortError {
  return new PortError('gone', 'the embedded database is closed');
}
