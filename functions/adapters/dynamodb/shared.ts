import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { BatchWriter } from './batch-writer.js';
import type { Bodies } from './bodies.js';
import type { Calls } from './calls.js';
import type { ClientLines } from './client-lines.js';

/** What the tables of one store share. */
export interface Shared {
  client: DynamoDBClient;
  calls: Calls;
  writer: BatchWriter;
  bodies: Bodies;
  lines: ClientLines;
  shards: number;
  /** Milliseconds since the epoch. */
  now: () => number;
}
