import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createConnectionsTable, createTables } from '../../functions/adapters/dynamodb/create-tables.js';
import { connectionsTableName, tableName } from '../../functions/adapters/dynamodb/keys.js';
import { ApiGatewayDouble } from '../doubles/api-gateway.js';
import { LambdaDouble } from '../doubles/lambda.js';
import { remoteServices, remoteSettings } from '../support/backing.js';
import { THROUGH_GATEWAY } from '../support/behind-gateway.js';
import { persistentOptions, StockClient } from '../support/clients.js';
import { DYNAMO_CREDENTIALS, DYNAMO_REGION } from '../support/dynamodb.js';
import { bePatient } from '../support/patience.js';
import { Program } from '../support/program.js';
import { unique } from '../support/waiting.js';
import { packaged, WHOLE } from './packaged.js';
import { RoleGuard } from './role-guard.js';
import { resourcesOf } from './template.js';

const LONG_ROW = 'a row over 300 KB: a will with large properties, from a client of the socket edge';
/** What a role may do and the test below does not bring about, and when it is needed. */
const SELDOM: Readonly<Record<string, string>> = {
  'message BatchGetItem StoreTable': LONG_ROW,
  'message BatchWriteItem StoreTable': LONG_ROW,
  'message Query StoreTable': LONG_ROW,
  'disconnect BatchGetItem StoreTable': LONG_ROW,
  'disconnect BatchWriteItem StoreTable': LONG_ROW,
  'disconnect Query StoreTable': LONG_ROW,
  'task BatchGetItem StoreTable': LONG_ROW,
  'task GetItem ConnectionsTable': 'looks whether a client that says nothing is still there',
};

bePatient();
const services = await remoteServices('websocket');
const settings = await remoteSettings(services, 'websocket');
const prefix = settings.PULSEGATE_PULSAR_NAMESPACE!.slice('public/'.length);
const dynamo = { region: DYNAMO_REGION, prefix, endpoint: services.dynamo.endpoint, credentials: DYNAMO_CREDENTIALS };
await createTables({ ...dynamo, shards: 1 });
await createConnectionsTable(dynamo);

const resources = resourcesOf(packaged(WHOLE).template);
const tables = { [tableName(prefix)]: 'StoreTable', [connectionsTableName(prefix)]: 'ConnectionsTable' };
const guardOf = (role: string) =>
  RoleGuard.start({ after }, { role: resources[role]!, tables, target: services.dynamo.endpoint });
const guards = {
  connect: await guardOf('ConnectRole'),
  message: await guardOf('MessageRole'),
  disconnect: await guardOf('DisconnectRole'),
  task: await guardOf('TaskRole'),
};
const functions: Partial<Record<string, LambdaDouble>> = {};
const gateway = await ApiGatewayDouble.start({ invoke: (name, event) => functions[name]!.invoke(event) });
const settingsOf = ({ endpoint }: RoleGuard) => ({
  ...settings,
  PULSEGATE_GATEWAY: gateway.endpoint,
  PULSEGATE_STORE: `dynamodb:?${new URLSearchParams({ prefix, region: DYNAMO_REGION, endpoint })}`,
  AWS_REGION: DYNAMO_REGION,
});
for (const name of ['connect', 'message', 'disconnect'] as const) {
  const env = { ...settingsOf(guards[name]), PULSEGATE_AUTH: 'anonymous' };
  functions[name] = new LambdaDouble({ name: `ws-${name}`, env });
}
after(async () => {
  await gateway.stop();
  for (const one of Object.values(functions)) await one?.stop();
});
const worker = await Program.start({ after }, settingsOf(guards.task));

test('functions and container do all of MQTT with the roles that they are deployed with', async (t) => {
  const topic = unique('roles');
  const { url } = gateway;
  const session = { ...persistentOptions(5, unique('client')), ...THROUGH_GATEWAY };
  const reader = await StockClient.connect(t, url, 5, session);
  await reader.subscribe(`${topic}/#`, { qos: 2 });
  const will = { topic: `${topic}/will`, payload: Buffer.from('gone'), qos: 1, retain: false } as const;
  const writer = await StockClient.connect(t, url, 5, { ...THROUGH_GATEWAY, will });
  for (const qos of [0, 1, 2] as const) await writer.publish(`${topic}/${qos}`, 'x', { qos, retain: true });
  await writer.publish(`${topic}/large`, Buffer.alloc(100_000, 'abc'), { qos: 1 });
  await reader.messages.until('all of it', (all) => all.length >= 4);
  // Away, with something in the queue, and back; taken over; and at last a clean start over what is left.
  await reader.disconnect();
  await writer.publish(`${topic}/queued`, 'x', { qos: 2 });
  const again = await StockClient.connect(t, url, 5, session);
  await again.messages.find('what was queued', ({ topic: to }) => to === `${topic}/queued`);
  writer.mqtt.stream.destroy();
  await again.messages.find('the will', ({ payload }) => payload === 'gone');
  const taking = await StockClient.connect(t, url, 5, session);
  await taking.publish(`${topic}/large`, Buffer.alloc(100_000, 'abc'), { qos: 1 });
  await taking.disconnect();
  const clean = await StockClient.connect(t, url, 5, { ...session, clean: true });
  await clean.publish(`${topic}/1`, '', { qos: 1, retain: true });
  await clean.disconnect();
  const here = await StockClient.connect(t, worker.url, 5);
  await here.subscribe(`${topic}/2`);
  await here.messages.find('what is retained', ({ payload }) => payload === 'x');
  await here.disconnect();
  await worker.stop();
  const denied = Object.entries(guards).flatMap(([name, guard]) => [...guard.denied].map((each) => `${name} ${each}`));
  assert.deepEqual(denied, []);
  const unused = Object.entries(guards).flatMap(([name, { allowed, used }]) =>
    [...allowed].filter((each) => !used.has(each)).map((each) => `${name} ${each}`),
  );
  assert.deepEqual(unused.sort(), Object.keys(SELDOM).sort());
});
