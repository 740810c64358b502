// `node infra/dynamodb-keeper.mjs STATE-FILE PID`: runs the official DynamoDB Local on a free port for as long as the process PID
// lives, or until SIGTERM. STATE-FILE then says `{ keeper, group, endpoint }`, or `{ problem }`.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { keep, statusOf } from './keeper.mjs';

const [stateFile, runner] = process.argv.slice(2);

await keep({ name: 'DynamoDB Local', stateFile, runner, ports: 1, prepare });

function prepare(_directory, [port]) {
  const missing = ['java', 'mvn'].filter((command) => spawnSync(command, ['-version']).status !== 0);
  if (missing.length > 0) throw new Error(`${missing.join(' and ')} not found`);
  const fetched = spawnSync(process.execPath, ['infra/fetch-dynamodb.mjs'], { encoding: 'utf8' });
  if (fetched.status !== 0)
    throw new Error(`not fetched: ${/^Error: .*$/m.exec(fetched.stderr)?.[0] ?? fetched.stderr}`);
  const jars = fetched.stdout.trim();
  const java = ['-Xms64m', '-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
  const server = 'com.amazonaws.services.dynamodbv2.local.main.ServerRunner';
  const endpoint = `http://127.0.0.1:${port}`;
  return {
    command: 'java',
    args: [
      ...java,
      `-Djava.library.path=${jars}`,
      '-cp',
      join(jars, '*'),
      server,
      '-inMemory',
      '-sharedDb',
      '-disableTelemetry',
      '-port',
      String(port),
    ],
    // Any answer will do: an unsigned request gets 400.
    isReady: async () => (await statusOf(endpoint)) !== null,
    state: { endpoint },
  };
}
