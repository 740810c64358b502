import { createTables } from '../../functions/adapters/dynamodb/create-tables.js';
import type { DynamoOptions } from '../../functions/adapters/dynamodb/open.js';
import { sharedService } from './shared-service.js';

export const DYNAMO_REGION = 'eu-central-1';
/** DynamoDB Local takes any. */
export const DYNAMO_CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };

export interface TestDynamo {
  endpoint: string;
  /** Options of a store of its own, its table made. */
  table(more?: Partial<DynamoOptions>): Promise<DynamoOptions>;
}

/**
 * The official DynamoDB Local, one for all test files of a run, or what PULSEGATE_TEST_DYNAMODB points to.
 * A text says why there is none: for `notRun`.
 */
export async function testDynamo(): Promise<TestDynamo | string> {
  const given = process.env.PULSEGATE_TEST_DYNAMODB;
  const service = given ? { endpoint: given } : await sharedService<{ endpoint: string }>('dynamodb');
  return typeof service === 'string' ? service : at(service.endpoint);
}

// Said once a process about Node 20; it says nothing about a test.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

let tables = 0;

function at(endpoint: string): TestDynamo {
  return {
    endpoint,
    async table(more) {
      tables += 1;
      const prefix = `test-${process.pid}-${Date.now().toString(36)}-${tables}`;
      const own = { endpoint, region: DYNAMO_REGION, prefix, shards: 1, credentials: DYNAMO_CREDENTIALS };
      const options = { ...own, ...more };
      await createTables({ ...options, endpoint });
      return options;
    },
  };
}
