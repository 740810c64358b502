// `node infra/secrets-keeper.mjs STATE-FILE PID`: runs moto's Secrets Manager on a free port for as long as the process PID lives,
// or until SIGTERM. STATE-FILE then says `{ keeper, group, endpoint }`, or `{ problem }`.
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { keep, statusOf } from './keeper.mjs';

const [stateFile, runner] = process.argv.slice(2);

await keep({ name: 'moto', stateFile, runner, ports: 1, prepare });

function prepare(_directory, [port]) {
  const home = process.env.PULSEGATE_TEST_PYTHON_HOME ?? join(homedir(), '.cache/pulsegate/python');
  const command = join(home, 'bin/moto_server');
  if (!existsSync(command)) throw new Error(`${command} not found (infra/test-dependencies.sh installs it)`);
  const endpoint = `http://127.0.0.1:${port}`;
  return {
    command,
    args: ['-H', '127.0.0.1', '-p', String(port)],
    env: { MOTO_CALL_RESET_API: 'false' },
    isReady: async () => (await statusOf(`${endpoint}/moto-api/`)) !== null,
    state: { endpoint },
  };
}
