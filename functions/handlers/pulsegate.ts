#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse } from 'yaml';
import { version } from '../../package.json';
import { hashPassword } from '../adapters/auth/users.js';
import { pinoTelemetry } from '../adapters/telemetry/pino.js';
import { forTerminal } from '../adapters/telemetry/pino-terminal.js';
import type { Telemetry } from '../ports/telemetry.js';
import { helpText } from './help.js';
import { reshardStore } from './remote-parts.js';
import { readCommand, type Settings } from './settings.js';
import { checkFiles, type Running, start } from './start.js';

/** How long a shutdown may take before it is cut short. */
const SHUTDOWN_MAX_MS = 10_000;
const TIMER_MAX_MS = 2_147_483_647;

const command = readCommand(process.argv.slice(2), process.env, (path) => parse(readFileSync(path, 'utf8')));
switch (command.kind) {
  case 'help':
    process.stdout.write(helpText());
    break;
  case 'version':
    process.stdout.write(`${version}\n`);
    break;
  case 'check':
    check(command.settings);
    break;
  case 'reshard':
    await reshard(command.settings);
    break;
  case 'hash-password':
    await hash(readFileSync(0, 'utf8').replace(/\r?\n$/, ''));
    break;
  case 'refused':
    refuse(...command.problems);
    break;
  case 'run':
    await run(command.settings);
}

function check(settings: Settings): void {
  try {
    checkFiles(settings);
    process.stdout.write('The settings are valid.\n');
  } catch (error) {
    refuse(error);
  }
}

async function run(settings: Settings): Promise<void> {
  const telemetry = pinoTelemetry(settings.logLevel, undefined, forTerminal);
  // A worker without a shard has nothing open, and is to wait for one.
  const stays = setInterval(() => {}, TIMER_MAX_MS);
  const starting = start(settings, telemetry);
  let isStopping = false;
  const stop = (signal: string) => {
    // Asked twice: whoever asks does not want to wait.
    if (isStopping) process.exit(1);
    isStopping = true;
    telemetry.log('info', 'stopping', { signal });
    setTimeout(() => process.exit(1), SHUTDOWN_MAX_MS + settings.limits.drainMs).unref();
    const stopping = starting.then(({ close }) => close());
    stopping.then(
      () => process.exit(0),
      (error: unknown) => {
        telemetry.log('error', 'stopping-failed', { error: String(error) });
        process.exit(1);
      },
    );
  };
  // From the first moment: whoever reads that it listens may end it at once.
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  try {
    const running = await starting;
    if (settings.tls !== null) process.on('SIGHUP', () => renew(running, telemetry));
    process.stdout.write(welcome(settings, running.urls, running.problem()));
    // Every promise is kept in the log and the store; the next start goes on from there.
    running.failed.then((error) => {
      telemetry.log('error', 'failed', { error: String(error) });
      process.exit(1);
    });
  } catch (error) {
    clearInterval(stays);
    refuse(error);
  }
}

function refuse(...problems: unknown[]): void {
  const lines = problems.map((problem) => `- ${problem instanceof Error ? problem.message : problem}\n`);
  process.stderr.write(`Pulsegate does not start:\n${lines.join('')}`);
  process.exitCode = 1;
}

async function reshard(settings: Settings): Promise<void> {
  try {
    const moved = await reshardStore(settings);
    const { shards } = settings;
    const said =
      moved === null
        ? `The table has ${shards} shards already.`
        : `Moved from ${moved.from} to ${shards} shards: ${moved.sessions} sessions with subscriptions, ${moved.presences} clients.`;
    process.stdout.write(`${said}\n`);
  } catch (error) {
    refuse(error);
  }
}

async function hash(password: string): Promise<void> {
  if (password === '') return refuse('--hash-password reads the password from standard input, which is empty');
  process.stdout.write(`${await hashPassword(Buffer.from(password))}\n`);
}

function renew(running: Running, telemetry: Telemetry): void {
  try {
    running.renewTls();
    telemetry.log('info', 'tls-renewed', {});
  } catch (error) {
    telemetry.log('error', 'tls-not-renewed', { error: error instanceof Error ? error.message : String(error) });
  }
}

function placeOf(part: Settings['log'] | Settings['store']): string {
  switch (part.kind) {
    case 'embedded':
      return resolve(part.directory);
    case 'pulsar':
      return part.url;
    case 'dynamodb':
      return `DynamoDB${part.endpoint === null ? '' : ` at ${part.endpoint}`}`;
  }
}

function accessOf(auth: Settings['auth']): string {
  switch (auth.kind) {
    case 'anonymous':
      return 'no authentication';
    case 'users':
      return `users of ${auth.file}`;
    case 'jwt':
      return `tokens by keys of ${auth.keys}`;
  }
}

function welcome(settings: Settings, urls: readonly string[], problem: string | null): string {
  // Without TLS where there is a choice: the client may not know who signed the certificate.
  const url = urls.find((each) => /^(ws|mqtt):/.test(each)) ?? urls[0] ?? '';
  const readyMs = Math.round(performance.now());
  const isReady = problem === null ? `is ready after ${readyMs} ms` : `waits: ${problem}`;
  const access = accessOf(settings.auth);
  const head = `Pulsegate ${version} ${isReady}.`;
  if (settings.role === 'fan-out') {
    const pages = urls.length === 0 ? '' : `  pages    ${urls.join(', ')}\n`;
    return `${head}\n${pages}  log      ${placeOf(settings.log)}\n  store    ${placeOf(settings.store)}\n`;
  }
  return `${head}
  connect  ${urls.join(', ')}  (MQTT 3.1, 3.1.1 and 5; ${access})
  log      ${placeOf(settings.log)}
  store    ${placeOf(settings.store)}

Paste this into another terminal, in this directory:

node --input-type=module -e '
  import mqtt from "mqtt";
  const client = await mqtt.connectAsync("${url}", { protocolVersion: 5 });
  client.on("message", (topic, message) => { console.log(topic, String(message)); client.end(); });
  await client.subscribeAsync("hello/+", { qos: 1 });
  await client.publishAsync("hello/world", "It works.", { qos: 1 });
'

`;
}
