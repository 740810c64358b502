// `node infra/pulsar-keeper.mjs STATE-FILE PID`: runs a standalone Pulsar on free ports for as long as the process PID lives,
// or until SIGTERM, and leaves nothing behind. STATE-FILE then says `{ keeper, group, web, broker }`, or `{ problem }`. What follows,
// `name=value` each, goes into its standalone.conf and wins over what is there.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fetchPulsar, whyNoPulsar } from './fetch-pulsar.mjs';
import { keep, statusOf } from './keeper.mjs';

const [stateFile, runner, ...settings] = process.argv.slice(2);

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
    ...Object.fromEntries(settings.map((setting) => setting.split(/=(.*)/s).slice(0, 2))),
  };
  const lines = Object.entries(own).map(([key, value]) => `${key}=${value}`);
  const conf = join(directory, 'standalone.conf');
  writeFileSync(conf, `${readFileSync(join(home, 'conf/standalone.conf'), 'utf8')}\n${lines.join('\n')}\n`);
  const args = ['standalone', '-nss', '-nfw', '-c', conf, '-a', '127.0.0.1'];
  args.push('--metadata-dir', join(directory, 'metadata'), '--bookkeeper-dir', join(directory, 'bookkeeper'));
  args.push('--bookkeeper-port', String(bookie));
  const url = `http://127.0.0.1:${own.webServicePort}`;
  return {
    command: join(home, 'bin/pulsar'),
    args,
    env: {
      PULSAR_LOG_DIR: join(directory, 'logs'),
      PULSAR_MEM: '-Xms256m -Xmx1g -XX:MaxDirectMemorySize=512m',
      PULSAR_GC: '-XX:+UseSerialGC',
      PULSAR_GC_LOG: '-Xlog:disable',
    },
    // 401: it wants a token, and so is there.
    isReady: async () => [200, 401].includes(await statusOf(`${url}/admin/v2/persistent/public/default`)),
    state: { web: url, broker: `pulsar://127.0.0.1:${own.brokerServicePort}` },
  };
}
