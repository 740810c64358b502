import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { StockClient, texts } from '../support/clients.js';
import { openCutLine } from '../support/cut-line.js';
import { DYNAMO_CREDENTIALS, DYNAMO_REGION, testDynamo } from '../support/dynamodb.js';
import { notRun } from '../support/parts.js';
import { freePort } from '../support/ports.js';
import { Program } from '../support/program.js';
import { connectPacket, RawClient } from '../support/raw-client.js';
import { isReady, page, readiness } from '../support/readiness.js';
import { unique, within } from '../support/waiting.js';
import { KEPT, namespaceWith, portOf, transports } from './transports.js';

for (const { name, pulsar, settings } of await transports()) {
  test(`Pulsar that is not there is waited for, said to clients, and used once it comes (${name})`, async (t) => {
    const ports = { web: await freePort(), broker: await freePort() };
    const program = await Program.start(t, {
      ...settings(ports),
      PULSEGATE_PULSAR_NAMESPACE: await namespaceWith(pulsar, KEPT),
    });
    await waits(t, program, new RegExp(`127\\.0\\.0\\.1:${ports.web}\\b.*ECONNREFUSED`));
    await lineFrom(t, ports.web, portOf(pulsar.web));
    await lineFrom(t, ports.broker, portOf(pulsar.broker));
    await serves(t, program);
  });
}

const dynamo = await testDynamo();
if (typeof dynamo === 'string') notRun('DynamoDB Local: one that is not there', dynamo);
else {
  test('DynamoDB that is not there is waited for, said to clients, and used once it comes', async (t) => {
    const port = await freePort();
    const query = { prefix: unique(`late-${process.pid}`), region: DYNAMO_REGION, make: 'yes' };
    const program = await Program.start(t, {
      PULSEGATE_STORE: `dynamodb:?${new URLSearchParams({ ...query, endpoint: `http://127.0.0.1:${port}` })}`,
      AWS_ACCESS_KEY_ID: DYNAMO_CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: DYNAMO_CREDENTIALS.secretAccessKey,
    });
    await waits(t, program, /ECONNREFUSED/);
    await lineFrom(t, port, portOf(dynamo.endpoint));
    await serves(t, program);
  });
}

test('SIGTERM ends a program that waits', async (t) => {
  const program = await Program.start(t, { PULSEGATE_LOG: `pulsar+ws://127.0.0.1:${await freePort()}` });
  await within('it ends', program.stop(), 3_000).then(({ code }) => assert.equal(code, 0));
});

test('what listens and never answers is waited for, said to clients, and does not hold up the end', async (t) => {
  const mute = createServer(() => {}).listen(0, '127.0.0.1');
  await once(mute, 'listening');
  t.after(async () => void mute.close());
  const { port } = mute.address() as AddressInfo;
  const program = await Program.start(t, { PULSEGATE_LOG: `pulsar+ws://127.0.0.1:${port}` });
  assert.equal(await readiness(program), '503 not ready: starting\n');
  await isTurnedAway(t, program);
  assert.deepEqual(await program.stop(), { code: 0, signal: null });
});

/** With pauses that grow, and a reason for whoever asks. */
async function waits(t: TestContext, program: Program, reason: RegExp): Promise<void> {
  const said = ({ event }: { event: string }) => event === 'waiting';
  await program.log.until('three tries', (all) => all.filter(said).length >= 3);
  const lines = program.log.all.filter(said);
  assert.deepEqual(
    lines.slice(0, 3).map(({ againInMs }) => againInMs),
    [500, 1_000, 2_000],
  );
  assert.match(String(lines[0]?.error), reason);
  const ready = await readiness(program);
  assert.match(ready, /^503 not ready: /);
  assert.match(ready, reason);
  assert.match(await page(program, 'healthz'), /^200 /);
  await isTurnedAway(t, program);
}

/** 0x88 "Server unavailable", and in MQTT 3.1.1 return code 3, which means the same. */
async function isTurnedAway(t: TestContext, program: Program): Promise<void> {
  for (const [level, expected] of [
    [5, { reasonCode: 0x88 }],
    [4, { returnCode: 3 }],
  ] as const) {
    const client = await RawClient.open(t, program.url, level);
    client.send(connectPacket(level));
    const { reasonCode, returnCode } = await client.next('connack');
    assert.deepEqual(level === 5 ? { reasonCode } : { returnCode }, expected);
    await client.closeCode();
  }
}

async function serves(t: TestContext, program: Program): Promise<void> {
  await isReady(program);
  const topic = unique('late');
  const client = await StockClient.connect(t, program.url, 5);
  await client.subscribe(topic);
  await client.publish(topic, 'here', { qos: 2 });
  assert.deepEqual(texts([await client.messages.take('its own')]), [`${topic} here`]);
}

/** From now on, on a port that nobody had listened on. */
async function lineFrom(t: TestContext, port: number, toPort: number): Promise<void> {
  const line = await openCutLine(toPort, null, port);
  t.after(() => line.close());
}
