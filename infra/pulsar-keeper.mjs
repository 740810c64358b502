// `node infra/pulsar-keeper.mjs STATE-FILE PID`: runs a standalone Pulsar on free ports for as long as the process PID lives,
// or until SIGTERM, and leaves nothing behind. STATE-FILE then says `{ keeper, group, web, broker }`, or `{ problem }`.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fetchPulsar, whyNoPulsar } from './fetch-pulsar.mjs';
import { keep, statusOf } from './keeper.mjs';

const [stateFile, runner] = process.argv.slice(2);

await keep({ name: 'Pulsar', stateFile, runner, ports: 3, prepare });

function prepare(directory, [broker, web, bookie]) {
  const why = whyNoPulsar();
  if (why !== undefined) throw new Error(why);
  const home = fetchPulsar();
  const own = {
    brokerServicePort: broker,
    webServicePort: web,
    bindAddress: '127.0.0.1',
    advertisedAddress: '127.0.0.1',
    listeningInterface: 'lo',
    allowLoopback: true,
  };
  const lines = Object.entries(own).map(([key, value]) => `${key}=${value}`);
  const conf = join(directory, 'standalone.conf');
  writeFileSync(conf, `${readFileSync(join(home, 'conf/standalone.conf'), 'utf8')}\n${lines.join('\n')}\n`);
  const args = ['standalone', '-nss', '-nfw', '-c', conf, '-a', '127.0.0.1'];
  args.push('--metadata-dir', join(directory, 'metadata'), '--bookkeeper-dir', join(directory, 'bookkeeper'));
  args.push('--bookkeeper-port', String(bookie));
  const url = `http://127.0.0.1:${web}`;
  return {
    command: join(home, 'bin/pulsar'),
    args,
    env: {
      PULSAR_LOG_DIR: join(directory, 'logs'),
      PULSAR_MEM: '-Xms256m -Xmx1g -XX:MaxDirectMemorySize=512m',
      PULSAR_GC: '-XX:+UseSerialGC',
      PULSAR_GC_LOG: '-Xlog:disable',
    },
    isReady: async () => (await statusOf(`${url}/admin/v2/persistent/public/default`)) === 200,
    state: { web: url, broker: `pulsar://127.0.0.1:${broker}` },
  };
}
