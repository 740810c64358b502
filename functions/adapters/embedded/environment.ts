import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';
import { Admission } from './admission.js';
import { DataDirectoryError } from './data-directory-error.js';
import { checkDataFile } from './data-file.js';
import { checkFormat, FORMAT_KEY, FORMAT_ROW, OPENING } from './data-format.js';
import { lockDirectory } from './directory-lock.js';
import { closed, toPortError, unflushed } from './lmdb-errors.js';
import { type Need, Room } from './room.js';

const OPENINGS_KEY = 'openings';
/** Writes that one opening of the directory can number: 2 to the 32nd, which leaves 2 million openings within a safe integer. */
const VERSIONS_PER_OPENING = 2 ** 32;
const FIRST_ROWS_BYTES = 1_000;

export interface EnvironmentOptions {
  /** Bytes of address space to begin with. LMDB doubles it when needed, so this bounds nothing. */
  mapSize?: number;
}

/** Keys are bytes that `keys.ts` and `batch-table.ts` make; values are whatever the table's encoding is. */
export type Table<V> = Database<V, Buffer>;

/** One LMDB environment in a directory that this process alone has open. Log and store share it, and so share commits. */
export interface Environment {
  table<V>(name: string, encoding: 'msgpack' | 'binary'): Table<V>;
  /**
   * Makes a write and resolves, with whether its condition held, once it is on disk. Rejects with `PortError`: `full`, with
   * nothing begun, where there is no room for it. `isVisible` tells, after a failed commit, whether the write can be seen all
   * the same.
   */
  write(need: Need, start: () => Promise<boolean>, isVisible?: () => boolean): Promise<boolean>;
  /** A read; what LMDB throws becomes a `PortError`. */
  read<T>(look: () => T): T;
  /** A number higher than any this directory has given out. */
  nextVersion(): number;
  /** Calls `run` right before a commit is handed to the writing thread: what it writes is in that commit. */
  beforeCommit(run: () => void): void;
  /** Resolves when what was written before can be seen, or has failed. */
  committed(): Promise<void>;
  close(): Promise<void>;
}

/** Creates the directory where there is none. Rejects with `DataDirectoryError`; what is in the directory is then as it was. */
export async function openEnvironment(directory: string, options: EnvironmentOptions = {}): Promise<Environment> {
  makeDirectory(directory);
  const unlock = guarded(directory, () => lockDirectory(directory));
  try {
    const file = join(directory, 'data.mdb');
    const exists = checkDataFile(directory, file);
    if (exists) await checkFormat(directory);
    const root = guarded(directory, () =>
      open<unknown, string>({ ...OPENING, path: directory, separateFlushed: true, ...options }),
    );
    const { room, leave } = await enterRoom(root, file);
    if (!exists) await root.put(FORMAT_KEY, FORMAT_ROW);
    const openings = ((root.get(OPENINGS_KEY) as number | undefined) ?? 0) + 1;
    await root.put(OPENINGS_KEY, openings);
    await root.flushed;
    leave();
    return new LmdbEnvironment(root, room, openings * VERSIONS_PER_OPENING, unlock);
  } catch (error) {
    unlock();
    throw error instanceof DataDirectoryError ? error : unusable(directory, error);
  }
}

/** With a place for the rows that opening writes. */
async function enterRoom(
  root: RootDatabase<unknown, string>,
  file: string,
): Promise<{ room: Room; leave: () => void }> {
  const room = new Room(root, file);
  try {
    return { room, leave: room.enter({ purpose: 'removal', bytes: FIRST_ROWS_BYTES }) };
  } catch (error) {
    room.close();
    await root.close();
    throw error;
  }
}

class LmdbEnvironment implements Environment {
  private readonly hooks: (() => void)[] = [];
  private readonly pending = new Set<Promise<unknown>>();
  private readonly admission: Admission;
  private closing: Promise<void> | undefined;
  private broken: unknown;
  private lastFailed = false;

  constructor(
    private readonly root: RootDatabase<unknown, string>,
    private readonly room: Room,
    private version: number,
    private readonly unlock: () => void,
  ) {
    this.admission = new Admission(room);
    root.on('beforecommit', () => {
      for (const run of this.hooks) run();
      // A commit that fails also rejects a promise that lmdb makes for itself a moment from now and gives to nobody.
      queueMicrotask(() => root.committed.then(ignore, ignore));
    });
  }

  table<V>(name: string, encoding: 'msgpack' | 'binary'): Table<V> {
    // Plain msgpack maps, not msgpackr's own records: another reader can make sense of the file.
    const options = {
      keyEncoding: 'binary',
      encoding,
      useVersions: encoding === 'msgpack',
      useRecords: false,
    } as const;
    const table = this.root.openDB<V, Buffer>(name, options);
    this.room.count(table);
    return table;
  }

  /**
   * What makes a write durable, as read in lmdb 3.5.6 (`src/writer.cpp`, `mdb.c`: `mdb_txn_commit`) and seen with strace:
   * pages and a first meta page are written, then fdatasync, then a second meta page through a descriptor opened with O_DSYNC;
   * only a meta page of that second kind is believed after a power cut. In 3.5.6 a put's own promise already waits for
   * all that, but its documentation promises only visibility; `flushed` is the documented one. It never settles where the commit
   * fails, hence both, in this order.
   */
  async write(need: Need, start: () => Promise<boolean>, isVisible?: () => boolean): Promise<boolean> {
    if (this.closing) throw closed();
    if (this.broken !== undefined) throw toPortError(this.broken);
    const written = this.admission.run(need, () => this.commit(start, isVisible));
    this.pending.add(written);
    try {
      return await written;
    } finally {
      this.pending.delete(written);
    }
  }

  private async commit(start: () => Promise<boolean>, isVisible?: () => boolean): Promise<boolean> {
    if (this.broken !== undefined) throw toPortError(this.broken);
    try {
      const written = start() as Promise<boolean> & { flushed?: Promise<unknown> };
      const held = await written;
      await written.flushed;
      this.lastFailed = false;
      return held;
    } catch (error) {
      this.lastFailed = true;
      const cause = await commitCause(error);
      const portError = isVisible?.() ? unflushed(cause) : toPortError(cause);
      // LMDB cannot be trusted, nor its writing thread be waited for, after it failed to write for another reason than space:
      // after a failed fdatasync the kernel may have dropped the pages. What is in doubt is settled by the next opening.
      if (portError.code === 'unavailable') this.broken ??= cause;
      throw portError;
    }
  }

  read<T>(look: () => T): T {
    if (this.closing) throw closed();
    if (this.broken !== undefined) throw toPortError(this.broken);
    try {
      return look();
    } catch (error) {
      throw toPortError(error);
    }
  }

  nextVersion(): number {
    this.version += 1;
    return this.version;
  }

  beforeCommit(run: () => void): void {
    this.hooks.push(run);
  }

  async committed(): Promise<void> {
    await Promise.allSettled(this.pending);
  }

  close(): Promise<void> {
    this.closing ??= this.finish();
    return this.closing;
  }

  private async finish(): Promise<void> {
    await Promise.allSettled(this.pending);
    const rootClosed = this.root.close();
    rootClosed.catch(ignore);
    // lmdb waits for the flush of the newest commit, which never comes where that one failed. Nothing is written any more.
    if (!this.lastFailed) await rootClosed;
    this.room.close();
    this.unlock();
  }
}

/** lmdb rejects with a wrapper; the error code is in the rejection of a promise inside. */
async function commitCause(error: unknown): Promise<unknown> {
  const inner = (error as { commitError?: Promise<never> }).commitError;
  return inner ? await inner.catch((cause: unknown) => cause) : error;
}

function makeDirectory(directory: string): void {
  guarded(directory, () => {
    const there = statSync(directory, { throwIfNoEntry: false });
    if (there === undefined) mkdirSync(directory, { recursive: true, mode: 0o700 });
    else if (!there.isDirectory()) throw new Error('not a directory');
  });
}

function guarded<T>(directory: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw error instanceof DataDirectoryError ? error : unusable(directory, error);
  }
}

function unusable(directory: string, cause: unknown): DataDirectoryError {
  return new DataDirectoryError('unusable', `${directory} cannot be used: ${text(cause)}`, { cause });
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function ignore(): void {}
