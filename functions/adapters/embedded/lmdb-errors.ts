import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { PortError } from '../../ports/errors.js';

const MDB_MAP_FULL = -30792;
const { ENOSPC, EDQUOT, EFBIG, EIO } = constants.errno;
const FULL_CODES: readonly unknown[] = [MDB_MAP_FULL, ENOSPC, EDQUOT, EFBIG, 'ENOSPC', 'EDQUOT', 'EFBIG'];
/** Written to learn whether there is room; less is as good as none. */
const PROBE_BYTES = 16 * 1024 * 1024;
const PROBE_STEP_BYTES = 1024 * 1024;

/** What LMDB said, in the ports' words. With `directory`, that of a failed commit, EIO is looked into. */
export function toPortError(error: unknown, directory?: string): PortError {
  if (error instanceof PortError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const code = (error as { code?: unknown } | undefined)?.code;
  const full = FULL_CODES.includes(code) || (code === EIO && directory !== undefined && !hasRoom(directory));
  return new PortError(full ? 'full' : 'unavailable', `LMDB: ${message}`, { cause: error });
}

/** Visible and not flushed: in doubt. */
export function unflushed(cause: unknown): PortError {
  return new PortError('unavailable', 'LMDB: a commit was not flushed to disk', { cause });
}

export function closed(): PortError {
  return new PortError('gone', 'the embedded database is closed');
}

/**
 * A disk or quota that fills up shows as a short write, which LMDB reports as EIO without asking why. Node's writes
 * do ask, so write something. Only after a commit has failed, so its cost is of no matter.
 */
function hasRoom(directory: string): boolean {
  const path = join(directory, 'room.probe');
  try {
    const file = openSync(path, 'w', 0o600);
    try {
      const step = Buffer.alloc(PROBE_STEP_BYTES);
      for (let done = 0; done < PROBE_BYTES; ) done += writeSync(file, step);
    } finally {
      closeSync(file);
    }
    return true;
  } catch (error) {
    return !FULL_CODES.includes((error as NodeJS.ErrnoException).code);
  } finally {
    rmSync(path, { force: true });
  }
}
