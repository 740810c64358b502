import { PortError } from '../../ports/errors.js';
import type { LogEntry, Position } from '../../ports/log.js';
import { positionOf } from './message-id.js';
import type { Start, Transport } from './transport.js';
import type { WebService } from './web-service.js';

export interface Stretch {
  partition: string;
  start: Start;
  /** Up to here nothing is taken. */
  after?: Position;
  /** With this entry it ends. */
  last: Position;
  limit: number;
  /** Leaves out what was published before, at the beginning. */
  sinceMs?: number;
  take: (page: readonly LogEntry[]) => void;
  transport: Transport;
  web: WebService;
}

const PAGE_ENTRIES = 1_000;
/** Without an entry for so long, the log is asked whether there is any left. */
const IDLE_MS = 2_000;

/** Reads what is there already, up to a known end. Rejects `unavailable` where it cannot be read to its end. */
export async function readStretch(stretch: Stretch): Promise<void> {
  const { partition, start, last, limit, take, transport } = stretch;
  if (typeof start === 'object' && positionOf({ ...start, partition: -1, batchIndex: 0 }) > last) return;
  const source = await transport.openSource(partition, start, undefined);
  let left = limit;
  let after = stretch.after ?? '';
  try {
    while (left > 0 && after < last) {
      const page = await orIdle(source.next(Math.min(left, PAGE_ENTRIES)), () => isTrimmed(stretch, after));
      if (page === 'trimmed') return;
      const taken = page.filter((entry) => isWanted(entry, after, stretch));
      if (taken.length > 0) take(taken);
      left -= taken.length;
      const newest = page.at(-1)?.position ?? '';
      if (newest > after) after = newest;
    }
  } finally {
    await source.close();
  }
}

function isWanted({ position, appendedAtMs }: LogEntry, after: Position, { last, sinceMs = 0 }: Stretch): boolean {
  return position > after && position <= last && appendedAtMs >= sinceMs;
}

/** Retention may drop what was there when the end was asked for: then there is nothing to wait for. */
async function isTrimmed({ partition, last, web }: Stretch, after: Position): Promise<boolean> {
  const first = await web.startSince(partition, 0);
  if (first === 'earliest') return true;
  const at = positionOf({ ...first, partition: -1, batchIndex: 0 });
  return at > last && at > after;
}

/** The page, or `trimmed` where it will not come. */
async function orIdle(
  page: Promise<readonly LogEntry[]>,
  isTrimmed: () => Promise<boolean>,
): Promise<readonly LogEntry[] | 'trimmed'> {
  let timer: NodeJS.Timeout | undefined;
  const idle = new Promise<'idle'>((resolve) => {
    timer = setTimeout(resolve, IDLE_MS, 'idle');
  });
  try {
    const first = await Promise.race([page, idle]);
    if (first !== 'idle') return first;
  } finally {
    clearTimeout(timer);
  }
  page.catch(() => {});
  if (await isTrimmed()) return 'trimmed';
  throw new PortError('unavailable', 'Pulsar does not send what it says it has');
}
