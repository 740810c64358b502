import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';
import { deploy } from '../gateway/deployment.js';
import { StockClient, texts } from '../support/clients.js';
import { notRun } from '../support/parts.js';
import { type Scope, unique, within } from '../support/waiting.js';

const CHROMIUM = process.env.PULSEGATE_TEST_CHROMIUM ?? '/usr/bin/chromium';

const FILES: Readonly<Record<string, [type: string, content: string | Buffer]>> = {
  '/': [
    'text/html',
    `<!doctype html><meta charset="utf-8"><script src="/mqtt.js"></script><script src="/paho.js"></script>
    <script type="module">window.pulsegate = await import('/client.js');</script>`,
  ],
  '/mqtt.js': ['text/javascript', readFileSync('node_modules/mqtt/dist/mqtt.min.js')],
  '/paho.js': ['text/javascript', readFileSync('node_modules/paho-mqtt/paho-mqtt.js')],
  '/client.js': ['text/javascript', readFileSync('dist/client.js')],
};

/** What the page has; `got` is what its client was handed, topic and payload. */
interface PageScope {
  mqtt: { connect(url: string, options: object): PageMqtt };
  Paho: { Client: new (url: string, id: string) => PagePaho };
  pulsegate: { createWebsocket: unknown; PulsegateSocket: unknown };
  client: PageMqtt;
  paho: PagePaho;
  got: string[];
  connects: number;
  WebSocket: unknown;
}

interface PageMqtt {
  on(event: string, run: (...facts: never[]) => void): void;
  publishAsync(topic: string, payload: string, options: object): Promise<unknown>;
  subscribeAsync(topic: string, options: object): Promise<unknown>;
  endAsync(): Promise<void>;
}

interface PagePaho {
  connect(options: object): void;
  subscribe(filter: string, options: object): void;
  send(topic: string, payload: string, qos: number, retained: boolean): void;
  onMessageArrived: (message: { destinationName: string; payloadString: string }) => void;
}

async function openPage(scope: Scope, browser: Browser, origin: string): Promise<Page> {
  const context = await browser.newContext();
  scope.after(() => context.close());
  const page = await context.newPage();
  await page.goto(origin);
  await page.waitForFunction(() => 'pulsegate' in globalThis);
  return page;
}

/** What the page has got, once there are so many that differ. */
async function gotten(page: Page, count: number): Promise<string[]> {
  await within(
    `${count} messages`,
    page.waitForFunction((n) => new Set((globalThis as unknown as PageScope).got).size >= n, count, {
      timeout: 60_000,
    }),
  );
  return page.evaluate(() => (globalThis as unknown as PageScope).got);
}

if (!existsSync(CHROMIUM)) {
  notRun('Chromium with pulsegate/client', `there is no ${CHROMIUM}; infra/test-dependencies.sh installs it`);
  test('Chromium is not here', () => {});
} else {
  const pages = createServer(({ url }, response) => {
    const [type, content] = FILES[url ?? ''] ?? ['text/plain', ''];
    response.setHeader('content-type', type).end(content);
  });
  await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(pages.address() as AddressInfo).port}/`;
  // Chromium refuses to be root's with its sandbox on.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const browser = await chromium.launch({ executablePath: CHROMIUM, args });
  after(async () => {
    await browser.close();
    pages.close();
  });
  // API Gateway often learns of a loss late or never: then the client half is there first.
  const { gateway, url, worker } = await deploy({ after }, { seed: 5, invokesTwice: 0.2, losesDisconnect: 1 });

  for (const level of [4, 5] as const) {
    test(`a stock MQTT.js in Chromium goes through the gateway, cuts included, at level ${level}`, async (t) => {
      const page = await openPage(t, browser, origin);
      const topic = unique('page');
      const witness = await StockClient.connect(t, worker.url, level);
      await witness.subscribe(`${topic}/from/+`);
      const connected = page.evaluate(
        ([to, protocolVersion, filter]) =>
          new Promise<void>((resolve, reject) => {
            const scope = globalThis as unknown as PageScope;
            const { createWebsocket } = scope.pulsegate;
            Object.assign(scope, { got: [], connects: 0 });
            scope.client = scope.mqtt.connect(to, { protocolVersion, createWebsocket, reconnectPeriod: 50 });
            scope.client.on('message', (at: string, payload: Uint8Array) =>
              scope.got.push(`${at} ${new TextDecoder().decode(payload)}`),
            );
            scope.client.on('connect', () => {
              scope.connects += 1;
              scope.client.subscribeAsync(filter, { qos: 2 }).then(() => resolve(), reject);
            });
            scope.client.on('error', reject);
          }),
        [url, level, `${topic}/to/+`] as const,
      );
      await within('the page is connected', connected);
      const expected: string[] = [];
      for (const [at, payload] of ['one', 'two', 'x'.repeat(60_000), 'four ü'].entries()) {
        // More than the worker says again after a cut makes the client connect anew, and QoS 0 is lost.
        await gotten(page, expected.length);
        const all = ([0, 1, 2] as const).flatMap((qos) => {
          expected.push(`${qos} ${payload}`);
          const published = page.evaluate(
            ([to, what, how]) =>
              (globalThis as unknown as PageScope).client.publishAsync(to, what, { qos: how }).then(() => {}),
            [`${topic}/from/${qos}`, payload, qos] as const,
          );
          return [published, witness.publish(`${topic}/to/${qos}`, payload, { qos })];
        });
        if (at % 2 === 1) gateway.cutAll();
        await within('both have published', Promise.all(all));
      }
      const got = await gotten(page, expected.length);
      assert.deepEqual(got.sort(), expected.map((each) => `${topic}/to/${each}`).sort());
      const had = await witness.messages.until('all', (all) => new Set(texts(all)).size >= expected.length);
      // A frame that is handled twice, there and here, publishes only QoS 1 twice.
      const from = expected.map((each) => `${topic}/from/${each}`);
      assert.deepEqual([...new Set(texts(had))].sort(), from.sort());
      const once = (all: readonly string[]) => all.filter((text) => !text.startsWith(`${topic}/from/1`)).sort();
      assert.deepEqual(once(texts(had)), once(from));
      assert.equal(await page.evaluate(() => (globalThis as unknown as PageScope).connects), 1, 'MQTT.js saw no cut');
      await within(
        'the page ends',
        page.evaluate(() => (globalThis as unknown as PageScope).client.endAsync()),
      );
    });
  }

  test('Paho in Chromium takes the class in place of WebSocket', async (t) => {
    const page = await openPage(t, browser, origin);
    const topic = unique('paho');
    const connected = page.evaluate(
      ([to, id, filter]) =>
        new Promise<void>((onSuccess, onFailure) => {
          const scope = globalThis as unknown as PageScope;
          scope.WebSocket = scope.pulsegate.PulsegateSocket;
          scope.got = [];
          scope.paho = new scope.Paho.Client(to, id);
          scope.paho.onMessageArrived = ({ payloadString }) => scope.got.push(payloadString);
          const subscribe = () => scope.paho.subscribe(filter, { qos: 2, onSuccess, onFailure });
          scope.paho.connect({ onSuccess: subscribe, onFailure });
        }),
      [url, unique('paho-in-text'), topic] as const,
    );
    await within('Paho is connected', connected);
    await page.evaluate((to) => {
      for (const qos of [0, 1, 2]) (globalThis as unknown as PageScope).paho.send(to, `qos ${qos}`, qos, false);
    }, topic);
    // A frame that is handled twice publishes QoS 1 twice.
    assert.deepEqual([...new Set(await gotten(page, 3))].sort(), ['qos 0', 'qos 1', 'qos 2']);
  });
}
