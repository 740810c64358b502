import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connectAsync } from 'mqtt';
import { readCommand } from '../../functions/handlers/settings.js';
import { checkFiles, type Running, start } from '../../functions/handlers/start.js';
import { silent } from '../../functions/ports/telemetry.js';
import { makeCertificate } from '../support/certificate.js';

async function started(context: TestContext, env: Record<string, string>): Promise<Running> {
  const directory = mkdtempSync(join(tmpdir(), 'pulsegate-start-'));
  const command = readCommand([], { PULSEGATE_LOG: `embedded:${directory}`, ...env }, () => null);
  if (command.kind !== 'run') assert.fail(JSON.stringify(command));
  let running: Running | undefined;
  context.after(async () => {
    await running?.close();
    rmSync(directory, { recursive: true, force: true });
  });
  running = await start(command.settings, { ...silent, snapshot: () => ({}) });
  return running;
}

test('clients of every scheme reach each other', async (context) => {
  const certificate = makeCertificate();
  const env: Record<string, string> = { PULSEGATE_LISTEN: 'ws://127.0.0.1:0/mqtt,mqtt://127.0.0.1:0' };
  if (certificate !== null) {
    env.PULSEGATE_LISTEN += ',wss://127.0.0.1:0/mqtt,mqtts://127.0.0.1:0';
    env.PULSEGATE_TLS_CERT = certificate.certFile;
    env.PULSEGATE_TLS_KEY = certificate.keyFile;
  }
  const { urls } = await started(context, env);
  const schemes = urls.map((url) => new URL(url).protocol);
  assert.deepEqual(schemes, certificate === null ? ['ws:', 'mqtt:'] : ['ws:', 'mqtt:', 'wss:', 'mqtts:']);
  const secure = certificate === null ? {} : { ca: certificate.cert, wsOptions: { ca: certificate.cert } };
  const clients = await Promise.all(urls.map((url) => connectAsync(url, { protocolVersion: 5, ...secure })));
  const heard = clients.map(async (client) => {
    const words = new Set<string>();
    const all = new Promise<void>((resolve) => {
      client.on('message', (_topic, payload) => {
        words.add(String(payload));
        if (words.size === clients.length) resolve();
      });
    });
    await client.subscribeAsync('word', { qos: 1 });
    return { all };
  });
  const everyone = await Promise.all(heard);
  await Promise.all(clients.map((client, i) => client.publishAsync('word', schemes[i] as string, { qos: 1 })));
  await Promise.all(everyone.map(({ all }) => all));
  await Promise.all(clients.map((client) => client.endAsync()));
});

test('a certificate that is no good refuses the start; a renewed one that is no good changes nothing', async (context) => {
  const [certificate, renewed] = [makeCertificate(), makeCertificate('renewed')];
  if (certificate === null || renewed === null) return context.skip('no openssl');
  const { certFile, keyFile, cert } = certificate;
  const env = { PULSEGATE_LISTEN: 'mqtts://127.0.0.1:0', PULSEGATE_TLS_CERT: certFile, PULSEGATE_TLS_KEY: keyFile };
  await assert.rejects(
    started(context, { ...env, PULSEGATE_TLS_KEY: renewed.keyFile }),
    /^Error: PULSEGATE_TLS_KEY is /,
  );
  const { urls, renewTls } = await started(context, env);
  const dial = (ca: string) => connectAsync(urls[0] as string, { ca, reconnectPeriod: 0 }, false);
  writeFileSync(certFile, renewed.cert);
  assert.throws(renewTls, /^Error: PULSEGATE_TLS_KEY is /);
  await (await dial(cert)).endAsync();
  writeFileSync(keyFile, renewed.key);
  renewTls();
  await (await dial(renewed.cert)).endAsync();
  await assert.rejects(dial(cert));
});

test('a file that a setting of Pulsar names is read before anything else, and the setting is named', async (context) => {
  const PULSEGATE_LOG = 'pulsar+wss://127.0.0.1:1';
  for (const [setting, value] of [
    ['PULSEGATE_PULSAR_CA', '/nowhere/ca.pem'],
    ['PULSEGATE_PULSAR_TOKEN', 'file:/nowhere/token'],
    ['PULSEGATE_PULSAR_OAUTH2', 'issuer=https://id.example&credentials=/nowhere/key.json'],
  ] as const) {
    const said = new RegExp(`^${setting} names a file that cannot be read: ENOENT.*/nowhere/`);
    await assert.rejects(started(context, { PULSEGATE_LOG, [setting]: value }), { message: said });
    const command = readCommand(['--check'], { PULSEGATE_LOG, [setting]: value }, () => null);
    assert.ok(command.kind === 'check');
    assert.throws(() => checkFiles(command.settings), { message: said });
  }
});
