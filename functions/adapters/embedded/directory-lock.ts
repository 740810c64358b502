import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DataDirectoryError } from './data-directory-error.js';

const LOCK_NAME = 'pulsegate.lock';
/** Each attempt that does not settle it means that another starter moved; a few may, hundreds may not. */
const ATTEMPTS_MAX = 100;

/** Who holds, or held, a directory. `id` is drawn anew for each attempt; `started` tells two processes of one pid apart. */
interface Holder {
  id: string;
  pid: number;
  started: string | null;
}

/**
 * Takes the directory for this process; the returned function lets it go. Throws `in-use`, naming directory and holder.
 *
 * Node has no `flock`, so the lock is a file that names its holder and appears by `link`, whole or not at all.
 * A holder that died leaves its file. Whoever finds it may not just remove it: between look and removal another may
 * have put its own there. So the heir of the file with id X is whoever links `pulsegate.lock.X`: one process can, and only then
 * replaces the lock. An heir that died half-way has an heir of its own in the same manner.
 *
 * Processes must see each other's pids: two containers with pid namespaces of their own must not share a directory.
 */
export function lockDirectory(directory: string): () => void {
  const lock = join(directory, LOCK_NAME);
  const mine: Holder = { id: randomUUID(), pid: process.pid, started: processStart(process.pid) };
  const draft = `${lock}.${mine.id}.draft`;
  try {
    writeFileSync(draft, `${JSON.stringify(mine)}\n`, { mode: 0o600, flag: 'wx' });
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      if (tryLink(draft, lock) || inherit(directory, lock, draft)) {
        return () => {
          if (readHolder(lock)?.id === mine.id) rmSync(lock, { force: true });
        };
      }
    }
    throw new DataDirectoryError('in-use', `${directory} is being taken by other processes`);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Takes over from a dead holder. False where things moved meanwhile: look again. */
function inherit(directory: string, lock: string, draft: string): boolean {
  const first = readHolder(lock);
  if (first === undefined) return false;
  const links: string[] = [];
  let holder = first;
  for (;;) {
    if (isAlive(holder)) throw new DataDirectoryError('in-use', `${directory} is in use by process ${holder.pid}`);
    const link = `${lock}.${holder.id}`;
    links.push(link);
    if (tryLink(draft, link)) break;
    const heir = readHolder(link);
    if (heir === undefined) return false;
    holder = heir;
  }
  // An heir replaces the lock before it removes the links that made it one. So if the lock is still the one
  // that the chain began with, no link of the chain was missing when it was looked for, and this process is the only heir.
  if (readHolder(lock)?.id !== first.id) {
    rmSync(links.at(-1)!, { force: true });
    return false;
  }
  renameSync(draft, lock);
  for (const link of links) rmSync(link, { force: true });
  return true;
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function readHolder(path: string): Holder | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { id, pid, started } = JSON.parse(text) as Holder;
    if (/^[0-9a-f-]+$/.test(id) && Number.isSafeInteger(pid)) return { id, pid, started };
  } catch {
    // Told below.
  }
  // A power cut may leave a file without its content; no process that runs now can have written it so.
  return { id: 'unreadable', pid: 0, started: null };
}

function isAlive(holder: Holder): boolean {
  if (holder.pid <= 0) return false;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    // EPERM: it is there and belongs to somebody else.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return holder.started === null || processStart(holder.pid) === holder.started;
}

/** Linux: boot id and start time in clock ticks (proc(5), field 22). Elsewhere null: then a pid that is alive is the holder. */
function processStart(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the command in parentheses and may itself contain blanks and parentheses.
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()}:${ticks}`;
  } catch {
    return null;
  }
}
