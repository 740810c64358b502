import { closeSync, fstatSync, openSync, statfsSync, writeSync } from 'node:fs';
import { PortError, type PortErrorCode } from '../../ports/errors.js';
import { toPortError } from './lmdb-errors.js';

/** What a write is for. The later in this list, the less room it has to leave. */
export type Purpose = 'publication' | 'state' | 'removal';

/**
 * How often what a commit may need besides its writes must be left: at the file's end, which is what LMDB is sure of, and
 * there and inside the file together. Publications stop first, so that sessions can still be saved; those stop before removals,
 * which make room inside. While there is some inside, LMDB takes that first, and the end stays as it is.
 */
const LEAVES: Readonly<Record<Purpose, { atEnd: number; inAll: number }>> = {
  publication: { atEnd: 2, inAll: 8 },
  state: { atEnd: 2, inAll: 4 },
  removal: { atEnd: 1, inAll: 1 },
};
/** The trees' upper pages and the meta pages, of two commits. */
const OVERHEAD_BYTES = 256 * 1024;
/** A changed leaf is written anew, elsewhere, and so is what is above it; a full one becomes two. */
const PAGES_PER_WRITE = 2;
/** A larger value has pages of its own. */
const IN_LEAF_MAX_BYTES = 2_000;
/** The file grows by this much at a time, or by what is needed at once. */
const STEP_BYTES = 1024 * 1024;
const META_PAGES = 2;
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
  readonly #root: WithStats;
  readonly #path: string;
  readonly #file: number;
  readonly #zeros = Buffer.alloc(STEP_BYTES);
  /** Handed to LMDB and not settled. */
  readonly #outstanding = { writes: 0, bytes: 0 };
  /** Those, and all that were handed over since the file was looked at: any of it may have taken pages since. */
  readonly #sinceLook = { writes: 0, bytes: 0 };
  readonly #tables: WithStats[] = [];
  #pageBytes = 0;
  #fileBytes = 0;
  #usedBytes = 0;
  #overheadBytes = 0;

  constructor(root: WithStats, path: string) {
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
      if (this.#missing(purpose) > 0) this.#look();
      if (this.#missing(purpose) > 0) this.#extend(purpose);
      return leave;
    } catch (error) {
      leave();
      add(this.#sinceLook, taken, -1);
      throw error;
    }
  }

  /** Of a table's pages, none is free. */
  count(table: WithStats): void {
    this.#tables.push(table);
  }

  close(): void {
    closeSync(this.#file);
  }

  /** Bytes by which the file is too small for that much to be left at its end. */
  #missing(purpose: Purpose, overheads = LEAVES[purpose].inAll): number {
    const { writes, bytes } = this.#sinceLook;
    // However many writes there are, no page is copied twice in a commit, and no more than two commits are under way.
    const copied = Math.min(writes * PAGES_PER_WRITE * this.#pageBytes, 2 * this.#usedBytes);
    return this.#usedBytes + copied + bytes + overheads * this.#overheadBytes - this.#fileBytes;
  }

  #look(): void {
    const { lastPageNumber, pageSize, free } = statsOf(this.#root);
    this.#pageBytes = pageSize;
    this.#usedBytes = (lastPageNumber + 1) * pageSize;
    this.#overheadBytes = OVERHEAD_BYTES + pagesOf(free) * pageSize;
    this.#fileBytes = fstatSync(this.#file).size;
    Object.assign(this.#sinceLook, this.#outstanding);
  }

  #extend(purpose: Purpose): void {
    let failure: unknown;
    try {
      const { bavail, bsize } = statfsSync(this.#path);
      const wanted = Math.max(this.#missing(purpose), STEP_BYTES);
      let left = Math.min(wanted, bavail * bsize - LEFT_FREE_BYTES);
      while (left > 0) {
        const written = writeSync(this.#file, this.#zeros, 0, Math.min(left, STEP_BYTES));
        this.#fileBytes += written;
        left -= written;
      }
    } catch (error) {
      failure = error;
    }
    const missing = this.#missing(purpose);
    if (missing <= 0) return;
    if (this.#missing(purpose, LEAVES[purpose].atEnd) <= 0 && missing <= this.#freeInsideBytes()) return;
    if (failure === undefined) throw cannotGrow('full', `less than ${LEFT_FREE_BYTES} bytes would be left on the disk`);
    throw cannotGrow(toPortError(failure).code, (failure as Error).message, failure);
  }

  /** As of the last commits. Asked only where the file cannot grow. */
  #freeInsideBytes(): number {
    const { lastPageNumber, free, root } = statsOf(this.#root);
    const taken = [root, free, ...this.#tables.map(statsOf)]
      .map(pagesOf)
      .reduce((sum, pages) => sum + pages, META_PAGES);
    return Math.max(0, lastPageNumber + 1 - taken) * this.#pageBytes;
  }
}

function add(sum: { writes: number; bytes: number }, bytes: number, sign: 1 | -1): void {
  sum.writes += sign;
  sum.bytes += sign * bytes;
}

function cannotGrow(code: PortErrorCode, why: string, cause?: unknown): PortError {
  return new PortError(code, `the data file cannot grow: ${why}`, { cause });
}

/** lmdb's types do not say what there is. */
function statsOf(table: WithStats): Stats {
  return table.getStats() as Stats;
}

function pagesOf({ treeBranchPageCount, treeLeafPageCount, overflowPages }: Pages): number {
  return treeBranchPageCount + treeLeafPageCount + overflowPages;
}

interface WithStats {
  getStats(): unknown;
}

interface Pages {
  treeBranchPageCount: number;
  treeLeafPageCount: number;
  overflowPages: number;
}

interface Stats extends Pages {
  lastPageNumber: number;
  pageSize: number;
  /** The table of tables. */
  root: Pages;
  /** The list of free pages. */
  free: Pages;
}
