// `node infra/pulsar-keeper.mjs STATE-FILE PID`: runs a standalone Pulsar on free ports for as long as the process PID lives,
// or until SIGTERM, and leaves nothing behind. STATE-FILE then says `{ keeper, group, web, broker }`, or `{ problem }`.
import { spawn } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fetchPulsar, whyNoPulsar } from './fetch-pulsar.mjs';

const READY_DEADLINE_MS = 120_000;
const LOOK_EVERY_MS = 250;
const STOP_DEADLINE_MS = 5_000;

const [stateFile, runner] = process.argv.slice(2);
let pulsar;
let ending = false;

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => void end());
setInterval(() => isAlive(Number(runner)) || void end(), LOOK_EVERY_MS);

const directory = mkdtempSync(join(tmpdir(), 'pulsegate-pulsar-'));
try {
  const why = whyNoPulsar();
  if (why !== undefined) throw new Error(why);
  const home = fetchPulsar();
  const [broker, web, bookie] = await freePorts(3);
  pulsar = start(home, { broker, web, bookie });
  await ready(`http://127.0.0.1:${web}/admin/v2/persistent/public/default`);
  say({
    keeper: process.pid,
    group: pulsar.pid,
    web: `http://127.0.0.1:${web}`,
    broker: `pulsar://127.0.0.1:${broker}`,
  });
} catch (error) {
  say({ problem: error.message });
  await end();
}

function start(home, { broker, web, bookie }) {
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
  const log = openSync(join(directory, 'output.log'), 'w');
  const args = ['standalone', '-nss', '-nfw', '-c', conf, '-a', '127.0.0.1'];
  args.push('--metadata-dir', join(directory, 'metadata'), '--bookkeeper-dir', join(directory, 'bookkeeper'));
  args.push('--bookkeeper-port', String(bookie));
  return spawn(join(home, 'bin/pulsar'), args, {
    detached: true,
    stdio: ['ignore', log, log],
    env: {
      ...process.env,
      PULSAR_LOG_DIR: join(directory, 'logs'),
      PULSAR_MEM: '-Xms256m -Xmx1g -XX:MaxDirectMemorySize=512m',
      PULSAR_GC: '-XX:+UseSerialGC',
      PULSAR_GC_LOG: '-Xlog:disable',
    },
  });
}

async function ready(url) {
  const deadline = Date.now() + READY_DEADLINE_MS;
  while (Date.now() < deadline) {
    if (pulsar.exitCode !== null) throw new Error(`Pulsar ended at its start: ${tail()}`);
    if (await answers(url)) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  throw new Error(`Pulsar did not answer within ${READY_DEADLINE_MS} ms: ${tail()}`);
}

function answers(url) {
  return new Promise((resolve) => {
    get(url, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    }).on('error', () => resolve(false));
  });
}

function tail() {
  return readFileSync(join(directory, 'output.log'), 'utf8').trimEnd().split('\n').slice(-5).join('\n');
}

/** Whole or not there: others wait for it. */
function say(state) {
  try {
    writeFileSync(`${stateFile}.part`, JSON.stringify(state));
    renameSync(`${stateFile}.part`, stateFile);
  } catch {
    // The run that asked is over, and its folder gone.
  }
}

async function end() {
  if (ending) return;
  ending = true;
  if (pulsar !== undefined) {
    const exited = new Promise((resolve) => pulsar.once('exit', resolve));
    kill('SIGTERM');
    const late = new Promise((resolve) => setTimeout(resolve, STOP_DEADLINE_MS));
    if (pulsar.exitCode === null) await Promise.race([exited, late]);
    kill('SIGKILL');
  }
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  process.exit(0);
}

function kill(signal) {
  try {
    process.kill(-pulsar.pid, signal);
  } catch {
    // Nothing is left of it.
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Held together until all are known, so that they differ. */
async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(servers.map((server) => new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
