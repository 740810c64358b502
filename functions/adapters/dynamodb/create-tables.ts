import {
  CreateTableCommand,
  ResourceInUseException,
  UpdateTimeToLiveCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { toPortError, verdictOn } from './errors.js';
import { TABLE, TTL_ATTRIBUTE, tableName } from './keys.js';
import { type DynamoOptions, dynamoClient } from './open.js';

const READY_MAX_S = 60;

/** Makes the table where it is not there yet, and waits until it answers: for tests and one's own machine. Infra deploys the same. */
export async function createTables(options: DynamoOptions): Promise<void> {
  const client = dynamoClient(options);
  const TableName = tableName(options.prefix);
  try {
    const made = await create();
    await waitUntilTableExists({ client, maxWaitTime: READY_MAX_S, minDelay: 1, maxDelay: 2 }, { TableName });
    if (!made) return;
    const TimeToLiveSpecification = { AttributeName: TTL_ATTRIBUTE, Enabled: true };
    await client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }));
  } catch (error) {
    throw toPortError(error, verdictOn(error));
  } finally {
    client.destroy();
  }

  async function create(): Promise<boolean> {
    const { AttributeDefinitions, KeySchema, BillingMode } = TABLE;
    try {
      const definition = { AttributeDefinitions: [...AttributeDefinitions], KeySchema: [...KeySchema], BillingMode };
      await client.send(new CreateTableCommand({ TableName, ...definition }));
      return true;
    } catch (error) {
      if (error instanceof ResourceInUseException) return false;
      throw error;
    }
  }
}
