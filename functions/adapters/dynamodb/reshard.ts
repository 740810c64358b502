import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { PortError } from '../../ports/errors.js';
import type { LeaseStore } from '../../ports/leases.js';
import type { Position } from '../../ports/log.js';
import type { CheckpointRow, SessionRow, Store } from '../../ports/store.js';
import { shardOf } from '../../topics/shard.js';
import { type Calls, keyOf, n } from './calls.js';
import { claimKey, META, presenceKey, sessionKey } from './keys.js';
import type { Shared } from './shared.js';

/** A table's rows as with two numbers of shards: as they are, and as they are to be. */
export interface Resharding {
  from: { shards: number; store: Store };
  to: { shards: number; store: Store };
  leases: LeaseStore;
  shared: Pick<Shared, 'calls' | 'client'>;
  /** Milliseconds. */
  wait: (ms: number) => Promise<void>;
}

type Lows = Map<string, Position>;

const PAGE_ROWS = 500;
/** Stands where the number of shards is, for as long as rows are moved: no process starts on such a table. */
const UNDER_WAY = 0;

/** The number of shards that a table was made for, or is being moved from. */
export async function shardsOf(calls: Calls): Promise<number | undefined> {
  const meta = await calls.get(META);
  const shards = Number(meta?.shards?.N ?? Number.NaN);
  return Number.isNaN(shards) ? undefined : shards === UNDER_WAY ? Number(meta?.movesFrom?.N) : shards;
}

/** To how many shards a table is being moved; undefined: it is not. */
export async function movesTo(calls: Calls): Promise<number | undefined> {
  const meta = await calls.get(META);
  return meta?.shards?.N === String(UNDER_WAY) ? Number(meta.movesTo?.N) : undefined;
}

/**
 * Moves every session to the shard that it has among another number of them. No process may run: rejects `refused` where one
 * does, where one did not finish what it was doing, or where a move to another number was cut off. Each row is written in its new place before it goes from its old one, so that
 * what was cut off is begun again and finishes.
 *
 * A session takes along, for each of its subscriptions, how far its old shard was: the new one may have to read from an earlier
 * place for others, and does not repeat it to this one.
 */
export async function reshard(parts: Resharding): Promise<{ sessions: number; presences: number }> {
  const { from, to, shared } = parts;
  const goal = await movesTo(shared.calls);
  if (goal !== undefined && goal !== to.shards) {
    throw new PortError(
      'refused',
      `rows are between ${from.shards} and ${goal} shards: finish with PULSEGATE_SHARDS=${goal}`,
    );
  }
  // Before anybody is looked for: a process that has not got its lease yet finds the table so, and ends.
  await setMeta(parts, UNDER_WAY);
  const lows = await idleLows(parts).catch(async (error: unknown) => {
    if (goal === undefined) await setMeta(parts, from.shards);
    throw error;
  });
  const epoch = Math.max(
    ...(await Promise.all(shardNumbers(Math.max(from.shards, to.shards)).map((shard) => epochOf(shared.calls, shard)))),
  );
  const moved = { sessions: 0, presences: 0 };
  for (const shard of shardNumbers(from.shards)) {
    moved.sessions += await moveSessions(parts, shard, lows[shard] ?? new Map());
    moved.presences += await movePresences(parts, shard);
  }
  const least = leastOf(lows);
  for (const shard of shardNumbers(to.shards)) {
    await setEpoch(shared, shard, epoch + 1);
    await to.store.shards.saveCheckpoints(shard, epoch + 1, least);
  }
  for (const shard of shardNumbers(from.shards).slice(to.shards)) {
    await setEpoch(shared, shard, epoch + 1);
    const gone = [...(lows[shard] ?? new Map<string, Position>()).keys()];
    await from.store.shards.saveCheckpoints(
      shard,
      epoch + 1,
      gone.map((partition) => ({ partition, low: null, done: [] })),
    );
  }
  await setMeta(parts, to.shards);
  return moved;
}

/** How far each shard is; rejects where a process runs or did not finish. */
async function idleLows(parts: Resharding): Promise<Lows[]> {
  const { from } = parts;
  await checkNobodyRuns(parts);
  return Promise.all(shardNumbers(from.shards).map((shard) => lowsOf(from.store, shard)));
}

/** A lease that stands still for its time is nobody's. */
async function checkNobodyRuns({ leases, wait }: Resharding): Promise<void> {
  const before = await leases.list();
  if (before.length === 0) return;
  await wait(Math.max(...before.map(({ row }) => row.leaseMs)));
  const beats = new Map(before.map(({ row }) => [row.holder, row.beat]));
  const alive = (await leases.list()).find(({ row }) => beats.get(row.holder) !== row.beat);
  if (alive !== undefined) throw new PortError('refused', `process ${alive.row.slot} runs: stop all of them first`);
}

/** What is done above the lowest place would be handed out again: there is nothing of that where workers were stopped after the edges. */
async function lowsOf(store: Store, shard: number): Promise<Lows> {
  const rows = await store.shards.checkpoints(shard);
  const unfinished = rows.find(({ done }) => done.length > 0);
  if (unfinished !== undefined) {
    const problem = `shard ${shard} has not finished with ${unfinished.partition}`;
    throw new PortError('refused', `${problem}: start a fan-out process without edges, and stop it`);
  }
  return new Map(rows.flatMap(({ partition, low }) => (low === null ? [] : [[partition, low] as const])));
}

/** Of the rows that stand under a number some may have been moved there from another. */
async function moveSessions({ from, to }: Resharding, shard: number, lows: Lows): Promise<number> {
  let moved = 0;
  for await (const row of rowsOf((after) => from.store.sessions.list(shard, after, PAGE_ROWS))) {
    const { clientId, generation, epoch } = row;
    if (shardOf(clientId, from.shards) !== shard) continue;
    await to.store.sessions.put(carrying(row, lows));
    const isElsewhere = sessionKey(clientId, from.shards).pk !== sessionKey(clientId, to.shards).pk;
    if (isElsewhere) await from.store.sessions.delete(clientId, generation, epoch);
    moved += 1;
  }
  return moved;
}

async function movePresences({ from, to }: Resharding, shard: number): Promise<number> {
  let moved = 0;
  const list = async (after: string | null) =>
    (await from.store.presence.list(shard, after, PAGE_ROWS)).map(({ row, version }) => ({ ...row, version }));
  for await (const { version, ...row } of rowsOf(list)) {
    if (shardOf(row.clientId, from.shards) !== shard) continue;
    const isElsewhere = presenceKey(row.clientId, from.shards).pk !== presenceKey(row.clientId, to.shards).pk;
    if (isElsewhere) {
      await to.store.presence.put(row, 0).catch(unlessConflict);
      await from.store.presence.delete(row.clientId, version).catch(unlessConflict);
    }
    moved += 1;
  }
  return moved;
}

function carrying(row: SessionRow, lows: Lows): SessionRow {
  const carried = (since: Readonly<Record<string, Position>>) => {
    const later = [...lows].filter(([partition, low]) => low > (since[partition] ?? ''));
    return { ...since, ...Object.fromEntries(later) };
  };
  return {
    ...row,
    subscriptions: row.subscriptions.map((each) => ({ ...each, since: carried(each.since) })),
    retainedDue: row.retainedDue.map((each) => ({ ...each, since: carried(each.since) })),
  };
}

/** For each partition the place that was furthest behind. */
function leastOf(lows: readonly Lows[]): CheckpointRow[] {
  const least: Lows = new Map();
  for (const [partition, low] of lows.flatMap((each) => [...each])) {
    const there = least.get(partition);
    if (there === undefined || low < there) least.set(partition, low);
  }
  return [...least].map(([partition, low]) => ({ partition, low, done: [] }));
}

async function* rowsOf<T extends { clientId: string }>(
  page: (after: string | null) => Promise<T[]>,
): AsyncGenerator<T> {
  for (let after: string | null = null; ; ) {
    const rows: T[] = await page(after);
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE_ROWS) return;
    after = last.clientId;
  }
}

async function epochOf(calls: Calls, shard: number): Promise<number> {
  return Number((await calls.get(claimKey(shard)))?.epoch?.N ?? 0);
}

/** Above that of any row of a session, whatever shard it comes from. */
async function setEpoch({ calls, client }: Resharding['shared'], shard: number, epoch: number): Promise<void> {
  const command = new UpdateItemCommand({
    TableName: calls.table,
    Key: keyOf(claimKey(shard)),
    UpdateExpression: 'SET epoch = :epoch, #owner = :owner',
    ExpressionAttributeNames: { '#owner': 'owner' },
    ExpressionAttributeValues: { ':epoch': n(epoch), ':owner': { S: 'reshard' } },
  });
  await calls.send(() => client.send(command));
}

async function setMeta({ from, to, shared: { calls, client } }: Resharding, shards: number): Promise<void> {
  const command = new UpdateItemCommand({
    TableName: calls.table,
    Key: keyOf(META),
    UpdateExpression: 'SET shards = :shards, movesFrom = :from, movesTo = :to',
    ExpressionAttributeValues: { ':shards': n(shards), ':from': n(from.shards), ':to': n(to.shards) },
  });
  await calls.send(() => client.send(command));
}

function shardNumbers(count: number): number[] {
  return Array.from({ length: count }, (_, shard) => shard);
}

function unlessConflict(error: unknown): void {
  if (!(error instanceof PortError) || error.code !== 'conflict') throw error;
}
