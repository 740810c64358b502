import {
  CreateTableCommand,
  DescribeTimeToLiveCommand,
  ResourceInUseException,
  UpdateTimeToLiveCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { toPortError, verdictOn } from './errors.js';
import { connectionsTableName, TABLE, TTL_ATTRIBUTE, tableName } from './keys.js';
import { type DynamoOptions, dynamoClient } from './open.js';

const READY_MAX_S = 60;

/** Makes the table where it is not there yet, and waits until it answers: for tests and one's own machine. Infra deploys the same. */
export async function createTables(options: DynamoOptions): Promise<void> {
  return createTable(options, tableName(options.prefix));
}

/** The same for the gateway edge's connections. */
export async function createConnectionsTable(options: Omit<DynamoOptions, 'shards'>): Promise<void> {
  return createTable(options, connectionsTableName(options.prefix));
}

async function createTable(options: Omit<DynamoOptions, 'shards'>, TableName: string): Promise<void> {
  const client = dynamoClient(options);
  const TimeToLiveSpecification = { AttributeName: TTL_ATTRIBUTE, Enabled: true };
  try {
    await create();
    await waitUntilTableExists({ client, maxWaitTime: READY_MAX_S, minDelay: 1, maxDelay: 2 }, { TableName });
    // Not only of a table that was just made: whoever made it may have ended before this.
    if (!(await expires()))
      await client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification })).catch(unlessOtherDid);
  } catch (error) {
    throw toPortError(error, verdictOn(error));
  } finally {
    client.destroy();
  }

  async function expires(): Promise<boolean> {
    const { TimeToLiveDescription: expiry } = await client.send(new DescribeTimeToLiveCommand({ TableName }));
    return expiry?.TimeToLiveStatus !== 'DISABLED';
  }

  async function unlessOtherDid(error: unknown): Promise<void> {
    if (!(await expires())) throw error;
  }

  async function create(): Promise<void> {
    const { AttributeDefinitions, KeySchema, BillingMode } = TABLE;
    try {
      const definition = { AttributeDefinitions: [...AttributeDefinitions], KeySchema: [...KeySchema], BillingMode };
      await client.send(new CreateTableCommand({ TableName, ...definition }));
    } catch (error) {
      if (!(error instanceof ResourceInUseException)) throw error;
    }
  }
}
