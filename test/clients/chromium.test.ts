import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, type TestContext, test } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';
import { StockClient } from '../support/clients.js';
import { notRun } from '../support/parts.js';
import { Program } from '../support/program.js';
import { Inbox, unique, within } from '../support/waiting.js';
import { type ConnectOptions, clientContract, type ForeignClient, type Message } from './contract.js';

const CHROMIUM = process.env.PULSEGATE_TEST_CHROMIUM ?? '/usr/bin/chromium';

/** MQTT.js as a page has it. */
const PAGE = '<!doctype html><meta charset="utf-8"><script src="/mqtt.js"></script>';

/** What runs in the page: one MQTT.js client, told what to do by the functions below. */
interface PageScope {
  mqtt: { connectAsync(url: string, options: object): Promise<PageMqtt> };
  client: PageMqtt;
  told(message: Message): void;
}

interface PageMqtt {
  on(event: string, run: (...facts: never[]) => void): void;
  subscribeAsync(filter: string, options: object): Promise<unknown>;
  publishAsync(topic: string, payload: string, options: object): Promise<unknown>;
  endAsync(): Promise<void>;
}

class PageClient implements ForeignClient {
  readonly messages = new Inbox<Message>();
  readonly page: Page;
  readonly #url: string;

  private constructor(page: Page, url: string) {
    this.page = page;
    this.#url = url;
  }

  static async open(browser: Browser, origin: string, url: string): Promise<PageClient> {
    // Of its own, as another person's would be.
    const context = await browser.newContext();
    const client = new PageClient(await context.newPage(), url);
    await client.page.exposeFunction('told', (message: Message) => client.messages.add(message));
    await client.page.goto(origin);
    return client;
  }

  async connect({ clientId, level, persistent, will }: ConnectOptions): Promise<boolean> {
    const options = {
      clientId,
      protocolVersion: level,
      clean: !persistent,
      reconnectPeriod: 50,
      ...(will && { will }),
      ...(level === 5 && persistent && { properties: { sessionExpiryInterval: 300 } }),
    };
    const connected = this.page.evaluate(
      ([url, given]) =>
        new Promise<boolean>((resolve, reject) => {
          const scope = globalThis as unknown as PageScope & {
            mqtt: { connect(url: string, options: object): PageMqtt };
          };
          scope.client = scope.mqtt.connect(url, given);
          scope.client.on('message', (topic: string, payload: Uint8Array, packet: { qos: number; retain: boolean }) =>
            scope.told({ topic, payload: new TextDecoder().decode(payload), qos: packet.qos, retain: packet.retain }),
          );
          scope.client.on('connect', (connack: { sessionPresent: boolean }) => resolve(connack.sessionPresent));
          scope.client.on('error', reject);
        }),
      [this.#url, options] as const,
    );
    return within('the page is connected', connected);
  }

  async subscribe(filter: string, qos: 0 | 1 | 2): Promise<void> {
    const subscribed = this.page.evaluate(
      ([asked, options]) => (globalThis as unknown as PageScope).client.subscribeAsync(asked, options).then(() => {}),
      [filter, { qos }] as const,
    );
    await within('the page has subscribed', subscribed);
  }

  async publish(topic: string, payload: string, options: { qos: 0 | 1 | 2; retain?: boolean }): Promise<void> {
    const published = this.page.evaluate(
      ([at, what, how]) => (globalThis as unknown as PageScope).client.publishAsync(at, what, how).then(() => {}),
      [topic, payload, options] as const,
    );
    await within('the page has published', published);
  }

  async disconnect(): Promise<void> {
    await within(
      'the page has disconnected',
      this.page.evaluate(() => (globalThis as unknown as PageScope).client.endAsync()),
    );
  }

  /** Closes the tab, as a person does. */
  async lose(): Promise<void> {
    await this.page.context().close();
  }
}

if (!existsSync(CHROMIUM)) {
  notRun('Chromium', `there is no ${CHROMIUM}; infra/test-dependencies.sh installs it`);
  test('Chromium is not here', () => {});
} else {
  const library = readFileSync('node_modules/mqtt/dist/mqtt.min.js');
  const pages = createServer((request, response) => {
    const isLibrary = request.url === '/mqtt.js';
    response.setHeader('content-type', isLibrary ? 'text/javascript' : 'text/html').end(isLibrary ? library : PAGE);
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
  const program = await Program.start({ after });
  const open = async (context: TestContext, url: string) => {
    const client = await PageClient.open(browser, origin, url);
    context.after(() => client.lose());
    return client;
  };

  clientContract('MQTT.js in Chromium', program, [4, 5], open);

  test('two pages talk to each other', async (t) => {
    const topic = unique('pages');
    const [left, right] = [await open(t, program.url), await open(t, program.url)];
    for (const [page, name] of [
      [left, 'left'],
      [right, 'right'],
    ] as const) {
      await page.connect({ clientId: unique(name), level: 5, persistent: false });
      await page.subscribe(`${topic}/${name}`, 1);
    }
    await left.publish(`${topic}/right`, 'hello', { qos: 1 });
    assert.equal((await right.messages.take('hello')).payload, 'hello');
    await right.publish(`${topic}/left`, 'hello yourself', { qos: 2 });
    assert.equal((await left.messages.take('the answer')).payload, 'hello yourself');
  });

  test('a page resumes by itself after the program was killed, and has what was published meanwhile', async (t) => {
    const own = await Program.start(t);
    const topic = unique('restart');
    const page = await open(t, own.url);
    await page.connect({ clientId: unique('page'), level: 5, persistent: true });
    await page.subscribe(topic, 2);
    await own.kill();
    await own.start();
    const publisher = await StockClient.connect(t, own.url, 5);
    for (const payload of ['1', '2', '3']) await publisher.publish(topic, payload, { qos: 2 });
    const got = await page.messages.until('all three', (all) => all.length >= 3);
    assert.deepEqual(
      got.map(({ payload }) => payload),
      ['1', '2', '3'],
    );
  });
}
