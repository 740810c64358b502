import { openDynamoStore } from '../../../functions/adapters/dynamodb/open.js';
import { storeContract } from '../../contracts/store.js';
import { testDynamo } from '../../support/dynamodb.js';
import { notRun } from '../../support/parts.js';

const dynamo = await testDynamo();
if (typeof dynamo === 'string') {
  notRun('DynamoDB Local', dynamo);
} else {
  storeContract('dynamodb', async () => {
    const options = await dynamo.table();
    let store = await openDynamoStore(options);
    return {
      store,
      async reopen() {
        await store.close();
        store = await openDynamoStore(options);
        return store;
      },
      close: () => store.close(),
    };
  });
}
