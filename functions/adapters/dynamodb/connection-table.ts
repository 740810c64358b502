import { type DynamoDBClient, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import type { ConnectionStore, GatewayRow } from '../../ports/connections.js';
import { PortError } from '../../ports/errors.js';
import { BatchWriter } from './batch-writer.js';
import { Calls, type Item, keyOf, n, writeId } from './calls.js';
import { clearRange } from './clear-range.js';
import {
  connectionKey,
  connectionsTableName,
  messagePartKey,
  messageParts,
  type Place,
  TTL_ATTRIBUTE,
} from './keys.js';
import { type DynamoOptions, dynamoClient } from './open.js';
import { decodeRow, encodeRow } from './row-codec.js';

/** A connection lives two hours at most; what is left of one after this was left by a crash. */
const KEPT_MS = 24 * 3_600_000;
const PARTS_READ = 100;

/** Connections of the gateway edge, in a table of their own: nothing in it is worth a backup. */
export class ConnectionTable implements ConnectionStore {
  readonly #client: DynamoDBClient;
  readonly #calls: Calls;
  readonly #writer: BatchWriter;
  readonly #now: () => number;

  constructor(options: Omit<DynamoOptions, 'shards'>) {
    const { connections = 64, callMaxMs = 10_000, now = Date.now } = options;
    this.#client = dynamoClient(options);
    this.#calls = new Calls(this.#client, connectionsTableName(options.prefix), { connections, callMaxMs });
    this.#writer = new BatchWriter(this.#client, this.#calls);
    this.#now = now;
  }

  async get(id: string): Promise<{ row: GatewayRow; version: number } | undefined> {
    const item = await this.#calls.get(connectionKey(id));
    if (item === undefined) return undefined;
    const row = decodeRow<GatewayRow>({ json: item.row!.S!, bytes: item.bytes!.B! });
    return { row, version: Number(item.version!.N) };
  }

  async put(row: GatewayRow, expected: number): Promise<number> {
    const item = this.#item(row, expected + 1);
    // "where the stored version is `expected` (0: where there is no row)"
    const condition =
      expected === 0
        ? { expression: 'attribute_not_exists(pk)' }
        : { expression: 'version = :expected', values: { ':expected': n(expected) } };
    const answer = await this.#calls.put(item, condition);
    if (!answer.held) throw new PortError('conflict', `the connection's row is not at version ${expected}`);
    return expected + 1;
  }

  async move(row: GatewayRow, from: string, expected: number): Promise<number> {
    const TableName = this.#calls.table;
    const command = new TransactWriteItemsCommand({
      ClientRequestToken: writeId(this.#now()),
      TransactItems: [
        { Put: { TableName, Item: this.#item(row, expected + 1) } },
        {
          Delete: {
            TableName,
            Key: keyOf(connectionKey(from)),
            // "the row that stands under `from`, whose version is `expected`"
            ConditionExpression: 'version = :expected',
            ExpressionAttributeValues: { ':expected': n(expected) },
          },
        },
      ],
    });
    await this.#calls.send(() => this.#client.send(command));
    return expected + 1;
  }

  async delete(id: string): Promise<boolean> {
    // "where it was there"
    const { held } = await this.#calls.delete(connectionKey(id), { expression: 'attribute_exists(pk)' });
    await clearRange(this.#calls, this.#writer, messageParts(id));
    return held;
  }

  async putPart(id: string, frame: number, bytes: Uint8Array): Promise<void> {
    await this.#calls.put({ ...this.#head(messagePartKey(id, frame)), bytes: { B: bytes } });
  }

  async parts(id: string, first: number, last: number): Promise<Uint8Array[]> {
    const found: Uint8Array[] = [];
    for (let after: string | null = null; ; ) {
      const range = messageParts(id, first, last);
      const { items, more } = await this.#calls.query(range, after, PARTS_READ);
      for (const item of items) found.push(item.bytes!.B!);
      if (!more) return found;
      after = items.at(-1)!.sk!.S!;
    }
  }

  close(): Promise<void> {
    return this.#calls.close();
  }

  #item(row: GatewayRow, version: number): Item {
    const { json, bytes } = encodeRow(row);
    return { ...this.#head(connectionKey(row.id)), version: n(version), row: { S: json }, bytes: { B: bytes } };
  }

  #head(place: Place): Item {
    const nowMs = this.#now();
    return { ...keyOf(place), id: { S: writeId(nowMs) }, [TTL_ATTRIBUTE]: n(Math.floor((nowMs + KEPT_MS) / 1_000)) };
  }
}
