import { spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createTables } from '../../functions/adapters/dynamodb/create-tables.js';
import type { DynamoOptions } from '../../functions/adapters/dynamodb/open.js';
import { startGuarded } from './guarded-process.js';
import { within } from './waiting.js';

const START_MAX_MS = 60_000;
const CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };

export interface TestDynamo {
  endpoint: string;
  /** Options of a store of its own, its table made. */
  table(more?: Partial<DynamoOptions>): Promise<DynamoOptions>;
  stop(): Promise<void>;
}

/**
 * The official DynamoDB Local on a port of its own, or what PULSEGATE_TEST_DYNAMODB points to.
 * A text says why there is none: for `notRun`.
 */
export async function testDynamo(): Promise<TestDynamo | string> {
  const given = process.env.PULSEGATE_TEST_DYNAMODB;
  if (given) return at(given, async () => {});
  const missing = ['java', 'mvn'].filter((command) => spawnSync(command, ['-version']).status !== 0);
  if (missing.length > 0) return `${missing.join(' and ')} not found`;
  const fetched = spawnSync(process.execPath, ['infra/fetch-dynamodb.mjs'], { encoding: 'utf8' });
  if (fetched.status !== 0) return `not fetched: ${/^Error: .*$/m.exec(fetched.stderr)?.[0] ?? fetched.stderr}`;
  const jars = fetched.stdout.trim();
  const port = await freePort();
  const server = startGuarded('java', [
    '-Xms64m',
    '-Xmx192m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    `-Djava.library.path=${jars}`,
    '-cp',
    join(jars, '*'),
    'com.amazonaws.services.dynamodbv2.local.main.ServerRunner',
    '-inMemory',
    '-sharedDb',
    '-disableTelemetry',
    '-port',
    String(port),
  ]);
  const endpoint = `http://127.0.0.1:${port}`;
  await within('an answer from DynamoDB Local', Promise.race([answering(endpoint), server.ended]), START_MAX_MS);
  return at(endpoint, () => server.stop());
}

// Said once a process about Node 20; it says nothing about a test.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

let tables = 0;

function at(endpoint: string, stop: () => Promise<void>): TestDynamo {
  return {
    endpoint,
    async table(more) {
      tables += 1;
      const prefix = `test-${process.pid}-${Date.now().toString(36)}-${tables}`;
      const options = { endpoint, region: 'eu-central-1', prefix, shards: 1, credentials: CREDENTIALS, ...more };
      await createTables({ ...options, endpoint });
      return options;
    },
    stop,
  };
}

/** Any answer will do: an unsigned request gets 400. */
async function answering(endpoint: string): Promise<void> {
  for (;;) {
    try {
      await fetch(endpoint);
      return;
    } catch {
      await new Promise((resume) => setTimeout(resume, 50));
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
