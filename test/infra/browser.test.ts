import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { chromium } from 'playwright-core';
import { createConnectionsTable, createTables } from '../../functions/adapters/dynamodb/create-tables.js';
import { remoteServices, remoteSettings } from '../support/backing.js';
import { startGatewayEdge } from '../support/behind-gateway.js';
import { DYNAMO_CREDENTIALS, DYNAMO_REGION } from '../support/dynamodb.js';
import { notRun } from '../support/parts.js';
import { bePatient } from '../support/patience.js';
import { readAll } from '../support/pulsar-reader.js';
import { within } from '../support/waiting.js';

const CHROMIUM = process.env.PULSEGATE_TEST_CHROMIUM ?? '/usr/bin/chromium';
const FILES = { '/client.js': 'dist/client.js', '/mqtt.esm.js': 'node_modules/mqtt/dist/mqtt.esm.js' };

bePatient();
const services = await remoteServices('websocket');

if (existsSync(CHROMIUM)) {
  test("the deployment's page publishes from a browser, with no container there yet", async (t) => {
    const settings = await remoteSettings(services, 'websocket');
    const namespace = settings.PULSEGATE_PULSAR_NAMESPACE!;
    const prefix = namespace.slice('public/'.length);
    const { endpoint } = services.dynamo;
    const dynamo = { region: DYNAMO_REGION, prefix, endpoint, credentials: DYNAMO_CREDENTIALS };
    await createTables({ ...dynamo, shards: 1 });
    await createConnectionsTable(dynamo);
    const { gateway } = await startGatewayEdge(t, settings);
    const html = /```html\n([\s\S]*?)```/.exec(readFileSync('docs/DEPLOY.md', 'utf8'))?.[1] ?? '';
    const page = html.replace(/wss:\/\/API[^']+/, gateway.url);
    assert.notEqual(page, html);
    const server = createServer(({ url = '' }, answer) => {
      const file = (FILES as Record<string, string>)[url];
      answer.writeHead(200, { 'content-type': file === undefined ? 'text/html' : 'text/javascript' });
      answer.end(file === undefined ? page : readFileSync(file));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
    t.after(async () => {
      await browser.close();
      server.close();
    });
    const tab = await browser.newPage();
    await tab.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await within('the page says that it works', tab.getByText('It is in Pulsar.').waitFor());
    const messages = await readAll(services.pulsar, `${namespace}/mqtt`);
    assert.deepEqual(
      messages.map(({ key, payload }) => [key, payload]),
      [['hello/browser', 'It works.']],
    );
  });
} else notRun("the deployment's page in a browser", `there is no ${CHROMIUM}; infra/test-dependencies.sh installs it`);
