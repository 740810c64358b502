import assert from 'node:assert/strict';
import { after, describe, type TestContext, test } from 'node:test';
import { loadNative } from '../../functions/adapters/pulsar/native/client.js';
import { StockClient, texts } from '../support/clients.js';
import { notRun } from '../support/parts.js';
import { bePatient } from '../support/patience.js';
import { Program } from '../support/program.js';
import { type Pulsar, startPulsar } from '../support/pulsar.js';
import { readAll } from '../support/pulsar-reader.js';
import { BEGIN_DEADLINE_MS, ExamplePage } from './worked-example-page.js';

bePatient();

const file = { after: (end: () => Promise<void>) => after(end) };
const page = new ExamplePage(file);
const pulsar = await startPulsar();
const problem = typeof pulsar === 'string' ? pulsar : page.findPulsar();
if (typeof pulsar === 'string' || problem !== null) notRun('Pulsar: the worked example', String(problem));
else describe('the worked example of docs/PULSAR.md', () => runAll(pulsar));

async function begin(pulsar: Pulsar) {
  const namespace = `public/example-${process.pid}-${Date.now().toString(36)}`;
  page.replace('public/example', namespace);
  page.replace('127.0.0.1:8080', new URL(pulsar.web).host);
  page.replace('127.0.0.1:6650', new URL(pulsar.broker).host);
  await page.run('namespace').through();
  const program = await Program.start(file, page.settings('pulsegate'));
  page.replace('127.0.0.1:8083', new URL(program.url).host);
  page.save('device.mjs');
  const device = page.run('device');
  await device.prints('connected');
  return { namespace, program, device };
}

function runAll(pulsar: Pulsar): void {
  const begun = begin(pulsar);

  test("Pulsar's command line consumes what an MQTT device publishes", async () => {
    const { device } = await begun;
    for (const line of page.lines('type')) device.type(line);
    const names = ['consume', 'consume-mop'];
    const consumers = names.map((name) => page.run(name));
    for (const [i, consumer] of consumers.entries()) {
      await consumer.through();
      await consumer.prints(page.block(['consumed', 'consumed-mop'][i] as string).trim());
    }
  });

  test("Pulsar's command line publishes what an MQTT device receives", async () => {
    const { device } = await begun;
    await Promise.all(['produce', 'produce-mop'].map((name) => page.run(name).through()));
    for (const line of page.lines('received')) await device.prints(line);
  });

  test('a Java program does both, in the partitions and in the order of what MQTT clients publish', async (t) => {
    page.save('Controller.java');
    await controls(t, 'java');
  });

  test('a Node program does both, in the partitions and in the order of what MQTT clients publish', async (t) => {
    page.save('controller.mjs');
    try {
      loadNative();
    } catch (error) {
      page.block('node');
      return notRun('native addon: the worked example in Node', (error as Error).message);
    }
    await controls(t, 'node');
  });

  test('everything on the page was run', () => {
    assert.deepEqual(page.unused, []);
  });

  async function controls(t: TestContext, name: 'java' | 'node'): Promise<void> {
    const { namespace, program, device } = await begun;
    const ids = ['1', '2', '3', '4', '5', '6', 'köln', '🌡'].map((id) => `${name}-${id}`);
    const operator = await StockClient.connect(t, program.url, 5);
    const watcher = await StockClient.connect(t, program.url, 5);
    await watcher.subscribe('thermostats/+/set');
    const before = device.lines.all.filter((line) => line === 'thermostats/7/set heat').length;
    const controller = page.run(name);
    if (before > 0) device.type('thermostats/7/state 18');
    await device.prints('thermostats/7/set heat', before + 1);
    for (const id of ids) {
      await operator.publish(`thermostats/${id}/set`, 'before', { qos: 1 });
      await operator.publish(`thermostats/${id}/state`, '17', { qos: 1 });
      const isAnswer = ({ topic, payload }: { topic: string; payload: string }) =>
        topic === `thermostats/${id}/set` && payload === 'heat';
      await watcher.messages.find(`the answer to ${id}`, isAnswer, BEGIN_DEADLINE_MS);
      await operator.publish(`thermostats/${id}/set`, 'after', { qos: 1 });
    }
    await controller.stop();
    const inOrder = ['before', 'heat', 'after'];
    const received = texts(await watcher.settled(operator));
    const kept = await readAll(pulsar, `${namespace}/commands`);
    for (const id of ids) {
      const topic = `thermostats/${id}/set`;
      assert.deepEqual(
        received.filter((text) => text.startsWith(`${topic} `)),
        inOrder.map((payload) => `${topic} ${payload}`),
      );
      const own = kept.filter(({ key }) => key === id);
      assert.equal(new Set(own.map(({ partition }) => partition)).size, 1, `${id} is in one partition`);
      assert.deepEqual(
        own.map(({ payload }) => payload),
        inOrder,
      );
    }
    assert.ok(new Set(kept.map(({ partition }) => partition)).size > 1);
  }
}
