import type { LoadedSession } from '../fan-out/load.js';
import type { Shard } from '../fan-out/shard.js';
import type { Clock } from '../ports/clock.js';
import { portErrorCode } from '../ports/errors.js';
import type { OutboundKey, OutboundRow, PresenceRow, SessionRow, Store } from '../ports/store.js';
import { IN_FLIGHT, isInLog } from '../session/places.js';
import { isAheadOfReplay } from '../session/replay.js';
import type { SessionName } from '../session/state.js';
import { publicationBytes } from '../topics/publication.js';

interface LoadParts {
  store: Store;
  clock: Clock;
  shardNumber: number;
  /** null: no owner before this one can be there still. */
  epoch: number | null;
  left: (row: PresenceRow) => void;
}

type Outbound = Pick<LoadedSession, 'inFlight' | 'queued'>;

const PAGE_ROWS = 500;

/**
 * Takes over every session of a shard, as the store has it. Whoever was connected when the last owner went is not any more:
 * `left` is told of them.
 * Resolves with sessions that their clients have replaced and whose rows are left.
 */
export async function loadSessions(shard: Shard, parts: LoadParts): Promise<SessionName[]> {
  const { store, clock, shardNumber } = parts;
  const sessions = new Map<string, SessionRow>();
  const replaced: SessionName[] = [];
  for await (const page of pages(
    (after) => store.sessions.list(shardNumber, after, PAGE_ROWS),
    (row) => row.clientId,
  )) {
    for (const row of page) sessions.set(row.clientId, row);
  }
  const presences = pages(
    (after) => store.presence.list(shardNumber, after, PAGE_ROWS),
    ({ row }) => row.clientId,
  );
  for await (const page of presences) {
    // Together: one flush for many, where each has to be written.
    const loaded = await Promise.all(
      page.map(({ row, version }) => load(shard, parts, row, version, { sessions, replaced }, clock.now())),
    );
    for (const session of loaded) if (session !== null) shard.load(session, clock.now());
    for (const { row } of page) if (row.disconnectedAtMs === null) parts.left(row);
  }
  return replaced;
}

async function load(
  shard: Shard,
  { store, epoch }: LoadParts,
  row: PresenceRow,
  version: number,
  { sessions, replaced }: { sessions: ReadonlyMap<string, SessionRow>; replaced: SessionName[] },
  now: number,
): Promise<LoadedSession | null> {
  const presence = await lostAt(store, row, version, now);
  if (presence === null) return null;
  const { clientId, generation } = presence;
  const stored = sessions.get(clientId) ?? null;
  // Who was connected may be about to be told by the owner before this one what that has yet to write.
  const mayChange = epoch !== null && row.disconnectedAtMs === null && (stored !== null || presence.sessionExpiryS > 0);
  const session = mayChange ? await store.sessions.take(clientId, generation, epoch) : stored;
  let outbound: Outbound = { inFlight: [], queued: { messages: 0, bytes: 0, places: [] } };
  for (const found of await store.outbound.generations(clientId, generation)) {
    const owner = { clientId, generation: found };
    const rows = await readOutbound(shard, store, owner, session);
    if (found === generation) outbound = rows;
    else replaced.push(owner);
  }
  return { presence, session, ...outbound };
}

/**
 * The row as of a client that is gone; the time is written down, so that expiry is not counted anew by every restart. null: its
 * session is over by now.
 */
async function lostAt(
  store: Store,
  row: PresenceRow,
  version: number,
  now: number,
): Promise<LoadedSession['presence'] | null> {
  if (row.disconnectedAtMs !== null) return { ...row, disconnectedAtMs: row.disconnectedAtMs };
  const lost = { ...row, disconnectedAtMs: now };
  try {
    await store.presence.put(lost, version);
    return lost;
  } catch (error) {
    if (portErrorCode(error) !== 'conflict') throw error;
  }
  // Edges see to their clients meanwhile. Of many that come again all at once, each may be between two of these reads.
  const changed = await store.presence.get(row.clientId);
  if (changed === undefined) return null;
  if (changed.row.connectionNumber === row.connectionNumber) return lostAt(store, changed.row, changed.version, now);
  return whileComing(row, changed.row, now);
}

/** Has come since the shard's commands are listened to, so that they will bring it: until then the session waits, and no will of it is due. */
function whileComing(before: PresenceRow, after: PresenceRow, now: number): LoadedSession['presence'] {
  const isResumed = after.generation === before.generation;
  const sessionExpiryS = isResumed ? Math.max(before.sessionExpiryS, after.sessionExpiryS) : after.sessionExpiryS;
  const connectionNumber = after.connectionNumber - 1;
  return { ...after, connectionNumber, sessionExpiryS, will: null, disconnectedAtMs: now };
}

async function readOutbound(
  shard: Shard,
  store: Store,
  owner: SessionName,
  session: SessionRow | null,
): Promise<Outbound> {
  const replays = (session?.subscriptions ?? []).flatMap(({ replay }) => replay ?? []);
  const { clientId, generation } = owner;
  const inFlight: OutboundRow[] = [];
  const queued = { messages: 0, bytes: 0, places: [] as OutboundKey[] };
  let after: OutboundKey | null = null;
  for (;;) {
    const rows: OutboundRow[] = await store.outbound.read(clientId, generation, after, PAGE_ROWS);
    for (const row of rows) {
      shard.know(owner, row);
      if (row.source === IN_FLIGHT) {
        inFlight.push(row);
      } else if (isAheadOfReplay(row, replays)) {
        await store.outbound.remove(clientId, generation, [row]);
      } else if (row.publication !== null) {
        queued.messages += 1;
        queued.bytes += publicationBytes(row.publication);
        if (isInLog(row) && !shard.hasPassed(row)) queued.places.push({ source: row.source, position: row.position });
      }
    }
    const last = rows[rows.length - 1];
    if (last === undefined || rows.length < PAGE_ROWS) return { inFlight, queued };
    after = last;
  }
}

async function* pages<T>(read: (after: string | null) => Promise<T[]>, keyOf: (row: T) => string): AsyncGenerator<T[]> {
  let after: string | null = null;
  for (;;) {
    const rows: T[] = await read(after);
    yield rows;
    const last = rows[rows.length - 1];
    if (last === undefined || rows.length < PAGE_ROWS) return;
    after = keyOf(last);
  }
}
