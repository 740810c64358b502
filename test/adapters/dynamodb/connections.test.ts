import { after } from 'node:test';
import { ConnectionTable } from '../../../functions/adapters/dynamodb/connection-table.js';
import { createConnectionsTable } from '../../../functions/adapters/dynamodb/create-tables.js';
import { connectionStoreContract } from '../../contracts/connections.js';
import { testDynamo } from '../../support/dynamodb.js';
import { notRun } from '../../support/parts.js';

const dynamo = await testDynamo();
if (typeof dynamo === 'string') {
  notRun('DynamoDB Local', dynamo);
} else {
  const options = await dynamo.table();
  await createConnectionsTable(options);
  // Whoever comes second finds it there.
  await createConnectionsTable(options);
  const store = new ConnectionTable(options);
  after(() => store.close());
  connectionStoreContract('DynamoDB', store);
}
