import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { PortError } from '../../ports/errors.js';
import type { LeaseStore } from '../../ports/leases.js';
import type { Store } from '../../ports/store.js';
import { BatchWriter } from './batch-writer.js';
import { Bodies } from './bodies.js';
import { Calls, keyOf, n, writeId } from './calls.js';
import { ClientLines } from './client-lines.js';
import { META, tableName } from './keys.js';
import { LeaseTable } from './lease-table.js';
import { movesTo, reshard, shardsOf } from './reshard.js';
import { DynamoStore } from './store.js';

const CONNECT_MAX_MS = 2_000;
const ANSWER_MAX_MS = 5_000;
const CALL_MAX_MS = 10_000;
const CONNECTIONS = 64;

export interface DynamoOptions {
  region: string;
  /** Begins the table's name. */
  prefix: string;
  /** Number of shards: part of every key that is listed by shard, so a table keeps the one that it was first opened with. */
  shards: number;
  /** Left out: the region's own. */
  endpoint?: string;
  /** Left out: those of the AWS credentials chain. */
  credentials?: { accessKeyId: string; secretAccessKey: string };
  /** Connections kept alive, and calls under way at once. */
  connections?: number;
  /** How long one try of a call waits for its answer. */
  answerMaxMs?: number;
  /** How long a call is tried. */
  callMaxMs?: number;
  /** Milliseconds since the epoch. */
  now?: () => number;
}

/**
 * The store in a DynamoDB table that is there (`createTables`, or what infra deploys). Rejects `refused` where it was made for another
 * number of shards, where there is no table or no permission, `unavailable` where DynamoDB does not answer.
 */
export async function openDynamoStore(options: DynamoOptions): Promise<Store> {
  const { store, prepare } = dynamoStore(options);
  try {
    await prepare();
  } catch (error) {
    await store.close();
    throw error;
  }
  return store;
}

/** The same in two steps, for whoever waits until DynamoDB answers: nothing is asked of the store before `prepare` has resolved. */
export function dynamoStore(options: DynamoOptions): {
  store: Store;
  leases: LeaseStore;
  prepare: () => Promise<void>;
} {
  const { shards, connections = CONNECTIONS, callMaxMs = CALL_MAX_MS, now = Date.now } = options;
  const client = dynamoClient(options);
  const calls = new Calls(client, tableName(options.prefix), { connections, callMaxMs });
  const writer = new BatchWriter(client, calls);
  const bodies = new Bodies(client, calls, writer, now);
  const shared = { client, calls, writer, bodies, lines: new ClientLines(), shards, now };
  return {
    store: new DynamoStore(shared),
    leases: new LeaseTable(shared),
    prepare: () => checkShards(calls, shards, now()),
  };
}

/**
 * Moves the rows of a table to `shards` shards, from however many it was made for; see `reshard`. Resolves with what was moved, null
 * where it has that number already.
 */
export async function reshardTable(
  options: DynamoOptions,
  wait: (ms: number) => Promise<void>,
): Promise<{ from: number; sessions: number; presences: number } | null> {
  const { shards, connections = CONNECTIONS, callMaxMs = CALL_MAX_MS, now = Date.now } = options;
  const client = dynamoClient(options);
  const calls = new Calls(client, tableName(options.prefix), { connections, callMaxMs });
  const writer = new BatchWriter(client, calls);
  const shared = {
    client,
    calls,
    writer,
    bodies: new Bodies(client, calls, writer, now),
    lines: new ClientLines(),
    now,
  };
  try {
    const there = await shardsOf(calls);
    if (there === undefined) throw new PortError('refused', `${calls.table} is no table of Pulsegate, or a new one`);
    const from = { shards: there, store: new DynamoStore({ ...shared, shards: there }) };
    const to = { shards, store: new DynamoStore({ ...shared, shards }) };
    const leases = new LeaseTable({ ...shared, shards });
    if (there === shards && (await movesTo(calls)) === undefined) return null;
    return { from: there, ...(await reshard({ from, to, leases, shared, wait })) };
  } finally {
    await calls.close();
  }
}

/** Tries no call again by itself: `Calls` does, and knows which were in doubt. */
export function dynamoClient({
  region,
  endpoint,
  credentials,
  connections = CONNECTIONS,
  answerMaxMs = ANSWER_MAX_MS,
}: Omit<DynamoOptions, 'shards'>): DynamoDBClient {
  const agent = { keepAlive: true, maxSockets: connections };
  return new DynamoDBClient({
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
    maxAttempts: 1,
    requestHandler: {
      httpAgent: agent,
      httpsAgent: agent,
      connectionTimeout: CONNECT_MAX_MS,
      requestTimeout: answerMaxMs,
      // The one above ends with the first byte of the answer.
      socketTimeout: answerMaxMs,
      throwOnRequestTimeout: true,
    },
  });
}

async function checkShards(calls: Calls, shards: number, nowMs: number): Promise<void> {
  const item = { ...keyOf(META), id: { S: writeId(nowMs) }, shards: n(shards) };
  const answer = await calls.put(item, { expression: 'attribute_not_exists(pk)' });
  if (answer.held || answer.there?.shards?.N === String(shards)) return;
  const there = answer.there?.shards?.N;
  const is =
    there === '0' ? 'is between two numbers of shards: finish with --reshard' : `has ${there} shards, not ${shards}`;
  throw new PortError('refused', `${calls.table} ${is}`);
}
