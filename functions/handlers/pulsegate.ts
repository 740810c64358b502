#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { version } from '../../package.json';
import { hashPassword } from '../adapters/auth/users.js';
import { stderrTelemetry } from '../adapters/telemetry/stderr.js';
import type { Telemetry } from '../ports/telemetry.js';
import { helpText } from './help.js';
import { readCommand, type Settings } from './settings.js';
import { type Running, start } from './start.js';

/** How long a shutdown may take before it is cut short. */
const SHUTDOWN_MAX_MS = 10_000;

const command = readCommand(process.argv.slice(2), process.env, (path) => readFileSync(path, 'utf8'));
switch (command.kind) {
  case 'help':
    process.stdout.write(helpText());
    break;
  case 'version':
    process.stdout.write(`${version}\n`);
    break;
  case 'check':
    process.stdout.write('The settings are valid.\n');
    break;
  case 'hash-password':
    process.stdout.write(`${await hashPassword(Buffer.from(readFileSync(0, 'utf8').replace(/\r?\n$/, '')))}\n`);
    break;
  case 'refused':
    process.stderr.write(`Pulsegate does not start:\n${command.problems.map((line) => `- ${line}\n`).join('')}`);
    process.exitCode = 1;
    break;
  case 'run':
    await run(command.settings);
}

async function run(settings: Settings): Promise<void> {
  const telemetry = stderrTelemetry(settings.logLevel);
  try {
    const running = await start(settings, telemetry);
    process.stdout.write(welcome(settings, running.urls));
    let isStopping = false;
    const stop = (signal: string) => {
      // Asked twice: whoever asks does not want to wait.
      if (isStopping) process.exit(1);
      isStopping = true;
      telemetry.log('info', 'stopping', { signal });
      setTimeout(() => process.exit(1), SHUTDOWN_MAX_MS).unref();
      running.close().then(
        () => process.exit(0),
        (error: unknown) => {
          telemetry.log('error', 'stopping-failed', { error: String(error) });
          process.exit(1);
        },
      );
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
    if (settings.tls !== null) process.on('SIGHUP', () => renew(running, telemetry));
  } catch (error) {
    process.stderr.write(`Pulsegate does not start:\n- ${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 1;
  }
}

function renew(running: Running, telemetry: Telemetry): void {
  try {
    running.renewTls();
    telemetry.log('info', 'tls-renewed', {});
  } catch (error) {
    telemetry.log('error', 'tls-not-renewed', { error: error instanceof Error ? error.message : String(error) });
  }
}

function welcome(settings: Settings, urls: readonly string[]): string {
  // Without TLS where there is a choice: the client may not know who signed the certificate.
  const url = urls.find((each) => /^(ws|mqtt):/.test(each)) ?? urls[0] ?? '';
  const readyMs = Math.round(performance.now());
  const access = settings.auth.kind === 'anonymous' ? 'no authentication' : `users of ${settings.auth.file}`;
  return `Pulsegate ${version} is ready after ${readyMs} ms.
  connect  ${urls.join(', ')}  (MQTT 3.1, 3.1.1 and 5; ${access})
  data     ${resolve(settings.log.directory)}

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
