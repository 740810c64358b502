import assert from 'node:assert/strict';
import { test } from 'node:test';
import { persistentOptions, StockClient, texts } from '../support/clients.js';
import { Program } from '../support/program.js';
import { produce } from '../support/pulsar-reader.js';
import { isReady, metric } from '../support/readiness.js';
import { unique, within } from '../support/waiting.js';
import { admin, KEPT, namespaceWith, transports } from './transports.js';

interface Stranger {
  key?: string;
  properties?: Record<string, string>;
}

/** What a native producer may write and MQTT cannot carry. */
const STRANGERS: readonly Stranger[] = [
  {},
  { key: 'a/+/b' },
  { key: 'a/#' },
  { key: 'x'.repeat(65_536) },
  { key: 'a/b', properties: { 'mqtt-qos': '7' } },
  { key: 'a/b', properties: { 'mqtt-retain': 'yes' } },
  { key: 'a/b', properties: { 'mqtt-user-properties': '{"not":"pairs"}' } },
  { key: 'a/b', properties: { 'mqtt-user-properties': '[["one"' } },
  { key: 'a/b', properties: { 'mqtt-response-topic': 'a/#' } },
  { key: 'a/b', properties: { 'mqtt-correlation-data': 'no base64' } },
  { key: 'a/b', properties: { 'mqtt-expiry': '-1' } },
];
/** The native client ends a text there, before anybody sees it. */
const WITH_NUL: readonly Stranger[] = [
  { key: 'nul\u0000' },
  { key: 'a/b', properties: { 'mqtt-content-type': 'nul\u0000' } },
];

for (const { name, pulsar, settings } of await transports()) {
  test(`what is no valid publication is skipped, counted and named once, and holds nothing up (${name})`, async (t) => {
    const strangers = name === 'native' ? STRANGERS : [...STRANGERS, ...WITH_NUL];
    const namespace = await namespaceWith(pulsar, KEPT);
    const program = await Program.start(t, {
      ...settings(),
      PULSEGATE_PULSAR_NAMESPACE: namespace,
      PULSEGATE_ROUTES: 'devices/{id}/{part} -> templated:devices, # -> keyed:mqtt',
    });
    const options = persistentOptions(5, unique('reader'));
    const client = await StockClient.connect(t, program.url, 5, options);
    await client.subscribe('#');
    const put = (topic: string, payload: string, message: Stranger) =>
      produce(pulsar, `${namespace}/${topic}`, { payload, ...message });
    for (const [i, stranger] of strangers.entries()) {
      await put('mqtt', 'strange', stranger);
      await put('mqtt', `${i}`, { key: 'a/b', properties: { 'x-own': 'is passed over' } });
    }
    for (const key of ['7', '7/8/9', '+/8']) await put('devices', 'strange', { key });
    await put('devices', 'last', { key: '7/8' });
    await client.messages.until('all', (all) => all.length === strangers.length + 1, 10_000);
    const expected = [...strangers.map((_, i) => `a/b ${i}`), 'devices/7/8 last'];
    assert.deepEqual(texts(client.messages.all), expected);
    assert.equal(await metric(program, 'log_records_skipped_total'), strangers.length + 3);
    const said = program.log.all.filter(({ event }) => event === 'log-record-skipped');
    assert.deepEqual(
      said.map(({ partition, problem }) => `${partition}: ${problem}`),
      ['mqtt', 'devices'].map((topic) => `persistent://${namespace}/${topic}: its key stands for no MQTT topic`),
    );

    // Pulsar keeps nothing of it for us, the newest entry excepted, which may be a batch that goes on.
    const kept = async (topic: string) => {
      const stats = (await admin(pulsar, 'GET', `persistent/${namespace}/${topic}/stats`)) as {
        subscriptions: Record<string, { msgBacklog: number }>;
      };
      return stats.subscriptions['pulsegate-shard-0']?.msgBacklog ?? Number.POSITIVE_INFINITY;
    };
    await within('its cursor goes on', follows(kept), 20_000);
    await program.kill();
    await program.start();
    await isReady(program);
    const again = await StockClient.connect(t, program.url, 5, options);
    await put('mqtt', 'after', { key: 'a/b' });
    await again.messages.find('what came after', ({ payload }) => payload === 'after', 10_000);
    assert.equal(await metric(program, 'log_records_skipped_total'), 0, 'the checkpoint is behind them');
  });
}

async function follows(kept: (topic: string) => Promise<number>): Promise<void> {
  while ((await kept('mqtt')) > 1 || (await kept('devices')) > 1) {
    await new Promise((again) => setTimeout(again, 100));
  }
}
