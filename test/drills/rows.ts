import { type AttributeValue, DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { presenceLists } from '../../functions/adapters/dynamodb/keys.js';
import type { CheckpointRow, PresenceRow } from '../../functions/ports/store.js';
import { DYNAMO_CREDENTIALS, DYNAMO_REGION } from '../support/dynamodb.js';
import type { Scope } from '../support/waiting.js';

type Item = Record<string, AttributeValue>;

/** The fleet's table, as somebody else reads it. */
export class Rows {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  /** `endpoint`: of DynamoDB itself, whatever the fleet has before it. */
  constructor(scope: Scope, settings: Readonly<Record<string, string>>, endpoint: string) {
    const prefix = new URLSearchParams(settings.PULSEGATE_STORE!.replace('dynamodb:?', '')).get('prefix');
    this.#table = `${prefix}-store`;
    this.#client = new DynamoDBClient({ endpoint, region: DYNAMO_REGION, credentials: DYNAMO_CREDENTIALS });
    scope.after(async () => this.#client.destroy());
  }

  async checkpoints(shard: number): Promise<CheckpointRow[]> {
    const items = await this.#query(`shard:${shard}`);
    return items.filter(({ sk }) => sk?.S !== 'claim').map(({ row }) => JSON.parse(row!.S!) as CheckpointRow);
  }

  async claim(shard: number): Promise<{ epoch: number; owner: string }> {
    const claim = (await this.#query(`shard:${shard}`)).find(({ sk }) => sk?.S === 'claim');
    return { epoch: Number(claim?.epoch?.N), owner: claim?.owner?.S ?? '' };
  }

  async presence(shard: number, clientId: string): Promise<PresenceRow | undefined> {
    const items = (await Promise.all(presenceLists(shard).map(({ pk }) => this.#query(pk)))).flat();
    const item = items.find(({ sk }) => sk?.S === clientId);
    return item && (JSON.parse(item.row!.S!) as PresenceRow);
  }

  async #query(pk: string): Promise<Item[]> {
    const command = new QueryCommand({
      TableName: this.#table,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': { S: pk } },
      ConsistentRead: true,
    });
    return (await this.#client.send(command)).Items ?? [];
  }
}
