import { closeSync, fstatSync, openSync, statfsSync, writeSync } from 'node:fs';
import type { RootDatabase } from 'lmdb';
import { PortError, type PortErrorCode } from '../../ports/errors.js';
import { toPortError } from './lmdb-errors.js';

/** What a write is for. The later in this list, the less room it has to leave behind it. */
export type Purpose = 'publication' | 'state' | 'removal';

/**
 * How often what a commit may need besides its writes must stay free: publications stop first, so that sessions can still be
 * saved; those stop before removals, which make room inside the file.
 */
const OVERHEADS: Readonly<Record<Purpose, number>> = { publication: 4, state: 2, removal: 1 };
/** The trees' upper pages and the meta pages, of two commits. */
const OVERHEAD_BYTES = 256 * 1024;
/** A changed leaf is written anew, elsewhere, and so is what is above it; a full one becomes two. */
const PAGES_PER_WRITE = 2;
/** A larger value has pages of its own. */
const IN_LEAF_MAX_BYTES = 2_000;
/** The file grows by this much at a time, or by what is needed at once. */
const STEP_BYTES = 1024 * 1024;
/** Left free on the disk: for the lock file of the next start, and for others. */
const LEFT_FREE_BYTES = 1024 * 1024;

/** What a write needs. */
export interface Need {
  purpose: Purpose;
  /** Of keys and values, about; rather too many. */
  bytes: number;
}

export const REMOVAL: Need = { purpose: 'removal', bytes: 0 };

/**
 * Keeps the data file larger than LMDB needs it, so that LMDB's own writes never meet a full disk, a quota or a file size
 * limit. lmdb 3.5.6 does not survive that: what it then says is longer than the 100 bytes that it has for it (`mdb.c`,
 * "Attempting to write page"), and the damaged heap ends the process some commits later.
 *
 * So the file is extended here, by writing zeros behind its end, where running out of space is an error like any other:
 * `full`, to be tried again. LMDB fills the file by page number and does not look at its size. What the writes under way may
 * need is judged from above. Where the file system writes changed blocks elsewhere (btrfs, ZFS) this guarantees less.
 */
export class Room {
  readonly #root: RootDatabase<unknown, string>;
  readonly #path: string;
  readonly #file: number;
  readonly #zeros = Buffer.alloc(STEP_BYTES);
  /** Handed to LMDB and not settled. */
  readonly #outstanding = { writes: 0, bytes: 0 };
  /** Those, and all that were handed over since the file was looked at: any of it may have taken pages since. */
  readonly #sinceLook = { writes: 0, bytes: 0 };
  #pageBytes = 0;
  #fileBytes = 0;
  #usedBytes = 0;
  #overheadBytes = 0;

  constructor(root: RootDatabase<unknown, string>, path: string) {
    this.#root = root;
    this.#path = path;
    // Appending can overwrite nothing, whatever LMDB's writing thread does meanwhile.
    this.#file = openSync(path, 'a');
    this.#look();
  }

  /** Lets a write in, or throws `full`. The returned function is to be called once the write is on disk or has failed. */
  enter({ purpose, bytes }: Need): () => void {
    const taken = bytes > IN_LEAF_MAX_BYTES ? bytes : 2 * bytes;
    add(this.#outstanding, taken, 1);
    add(this.#sinceLook, taken, 1);
    const leave = () => add(this.#outstanding, taken, -1);
    try {
      if (this.#isShort(purpose)) this.#look();
      if (this.#isShort(purpose)) this.#extend(purpose);
      return leave;
    } catch (error) {
      leave();
      add(this.#sinceLook, taken, -1);
      throw error;
    }
  }

  close(): void {
    closeSync(this.#file);
  }

  #isShort(purpose: Purpose): boolean {
    return this.#missingBytes(purpose) > 0;
  }

  #missingBytes(purpose: Purpose): number {
    const { writes, bytes } = this.#sinceLook;
    // However many writes there are, no page is copied twice in a commit, and no more than two commits are under way.
    const copied = Math.min(writes * PAGES_PER_WRITE * this.#pageBytes, 2 * this.#usedBytes);
    return this.#usedBytes + copied + bytes + OVERHEADS[purpose] * this.#overheadBytes - this.#fileBytes;
  }

  #look(): void {
    const { lastPageNumber, pageSize, free } = this.#root.getStats() as unknown as Stats;
    const freeListPages = free.treeBranchPageCount + free.treeLeafPageCount + free.overflowPages;
    this.#pageBytes = pageSize;
    this.#usedBytes = (lastPageNumber + 1) * pageSize;
    this.#overheadBytes = OVERHEAD_BYTES + freeListPages * pageSize;
    this.#fileBytes = fstatSync(this.#file).size;
    Object.assign(this.#sinceLook, this.#outstanding);
  }

  #extend(purpose: Purpose): void {
    let missing = Math.max(this.#missingBytes(purpose), STEP_BYTES);
    try {
      const { bavail, bsize } = statfsSync(this.#path);
      missing = Math.min(missing, bavail * bsize - LEFT_FREE_BYTES);
      while (missing > 0) {
        const written = writeSync(this.#file, this.#zeros, 0, Math.min(missing, STEP_BYTES));
        this.#fileBytes += written;
        missing -= written;
      }
    } catch (error) {
      // Less than a step may have been enough.
      if (this.#isShort(purpose)) throw cannotGrow(toPortError(error).code, (error as Error).message, error);
    }
    if (this.#isShort(purpose))
      throw cannotGrow('full', `less than ${LEFT_FREE_BYTES} bytes would be left on the disk`);
  }
}

function add(sum: { writes: number; bytes: number }, bytes: number, sign: 1 | -1): void {
  sum.writes += sign;
  sum.bytes += sign * bytes;
}

function cannotGrow(code: PortErrorCode, why: string, cause?: unknown): PortError {
  return new PortError(code, `the data file cannot grow: ${why}`, { cause });
}

interface Stats {
  lastPageNumber: number;
  pageSize: number;
  free: { treeBranchPageCount: number; treeLeafPageCount: number; overflowPages: number };
}
