// biome-ignore-all lint/suspicious/noTemplateCurlyInString: rules have placeholders that look like it
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { IClientOptions } from 'mqtt';
import { WebSocket } from 'ws';
import { atBothLevels, persistentOptions, StockClient, texts } from '../support/clients.js';
import { Program } from '../support/program.js';
import { issuer, KeyServer, tokenOf } from '../support/tokens.js';
import { unique, within } from '../support/waiting.js';

const ISSUER = issuer();
const keys = await KeyServer.start(ISSUER);
const directory = mkdtempSync(join(tmpdir(), 'pulsegate-access-'));
after(async () => {
  await keys.stop();
  rmSync(directory, { recursive: true, force: true });
});
const rules = join(directory, 'rules.yaml');
writeFileSync(
  rules,
  '- publish: ["d/${clientid}/#"]\n  subscribe: ["d/${clientid}/#"]\n- users: [root]\n  publish: ["#"]\n  subscribe: ["#"]\n',
);
const program = await Program.start(
  { after },
  { PULSEGATE_AUTH: `jwt:${keys.url}`, PULSEGATE_JWT_CLOCK_TOLERANCE_S: '0', PULSEGATE_ACL: rules },
);
const { url } = program;

function secondsFromNow(s: number): number {
  return Math.floor(Date.now() / 1000) + s;
}

async function shows(claims: object, expiresInS = 600): Promise<IClientOptions> {
  return { username: 'whoever', password: await tokenOf(ISSUER, { ...claims }, secondsFromNow(expiresInS)) };
}

atBothLevels('a token in the password is who comes', async (level, t) => {
  await StockClient.connect(t, url, level, await shows({ sub: 'ada' }));
  const refused = (options: IClientOptions) =>
    assert.rejects(StockClient.connect(t, url, level, options), { code: level === 5 ? 0x86 : 4 });
  await refused({});
  await refused({ username: 'ada', password: 'ada' });
  await refused(await shows({ sub: 'ada' }, -1));
});

atBothLevels('a token in the URL or the header of the handshake is who comes', async (level, t) => {
  const token = await tokenOf(ISSUER, { sub: 'ada' });
  await StockClient.connect(t, `${url}?access_token=${token}`, level);
  const wsOptions = { headers: { authorization: `Bearer ${token}` } };
  await StockClient.connect(t, url, level, { wsOptions });
});

test('a handshake with a token that is no good gets 401', async () => {
  const statusOf = (token: string) =>
    within(
      'an answer',
      new Promise((resolve) => {
        const socket = new WebSocket(`${url}?access_token=${token}`, ['mqtt']);
        socket.once('unexpected-response', (_request, { statusCode }) => resolve(statusCode));
        socket.on('error', () => {});
      }),
    );
  assert.equal(await statusOf('x'), 401);
  assert.equal(await statusOf(await tokenOf(issuer(), { sub: 'ada' })), 401);
});

atBothLevels('a token that is bound to a client identifier is good for no other', async (level, t) => {
  const clientId = unique('bound');
  const options = await shows({ sub: 'ada', clientid: clientId });
  await StockClient.connect(t, url, level, { ...options, clientId });
  await assert.rejects(StockClient.connect(t, url, level, options), { code: level === 5 ? 0x87 : 5 });
});

test('a connection ends with its token, by DISCONNECT 0xA0, and its will is published', async (t) => {
  const clientId = unique('brief');
  const watcher = await StockClient.connect(t, url, 5, await shows({ sub: 'root' }));
  await watcher.subscribe(`d/${clientId}/will`);
  const will = { topic: `d/${clientId}/will`, payload: Buffer.from('over'), qos: 1, retain: false } as const;
  const client = await StockClient.connect(t, url, 5, { ...(await shows({}, 2)), clientId, will });
  assert.equal((await client.disconnects.take('a DISCONNECT')).reasonCode, 0xa0);
  await client.closed();
  assert.deepEqual(texts([await watcher.messages.take('the will')]), [`d/${clientId}/will over`]);
});

test('a client of 3.1.1 whose token expires is closed', async (t) => {
  const client = await StockClient.connect(t, url, 4, await shows({}, 2));
  await client.closed();
});

atBothLevels('who may not publish to a topic publishes nothing to it', async (level, t) => {
  const root = await StockClient.connect(t, url, level, await shows({ sub: 'root' }));
  const client = await StockClient.connect(t, url, level, await shows({ sub: 'ada' }));
  const other = unique('other');
  await root.subscribe([`d/${client.id}/#`, `d/${other}`]);
  for (const qos of [1, 2] as const) {
    const denied = client.publish(`d/${other}`, 'no', { qos, retain: true });
    if (level === 5) await assert.rejects(denied, { code: 0x87 });
    else await denied;
  }
  await client.publish(`d/${other}`, 'no', { qos: 0 });
  await client.publish(`d/${client.id}/x`, 'yes', { qos: 1 });
  await root.messages.find('yes', ({ payload }) => payload === 'yes');
  assert.deepEqual(texts(await root.settled(root)), [`d/${client.id}/x yes`]);
});

atBothLevels('a subscription that is not covered gets nothing, retained messages included', async (level, t) => {
  const root = await StockClient.connect(t, url, level, await shows({ sub: 'root' }));
  const client = await StockClient.connect(t, url, level, await shows({ sub: 'ada', subs: ['settled/#', 'news/+'] }));
  const topic = `d/${unique('other')}`;
  await root.publish(topic, 'retained', { qos: 1, retain: true });
  const subscribed = async (filter: string): Promise<unknown> => {
    const answered = new Promise((resolve) => {
      client.mqtt.on('packetreceive', (packet) => packet.cmd === 'suback' && resolve(packet.granted));
    });
    // MQTT.js does not say why it rejects.
    await client.subscribe(filter, { qos: 1 }).catch(() => {});
    return within('a SUBACK', answered);
  };
  const refusal = level === 5 ? 0x87 : 0x80;
  for (const filter of [topic, '#', 'd/+', `$share/g/${topic}`, '$share/g/#', 'news/#']) {
    assert.deepEqual(await subscribed(filter), [refusal], filter);
  }
  for (const filter of [`d/${client.id}/+`, 'news/x', '$share/g/news/+']) {
    assert.deepEqual(await subscribed(filter), [1], filter);
  }
  await root.publish(topic, 'live', { qos: 1 });
  assert.deepEqual(await client.settled(root), []);
});

atBothLevels('a session that is resumed with less gets no more of what it may not have', async (level, t) => {
  const clientId = unique('narrowed');
  const root = await StockClient.connect(t, url, level, await shows({ sub: 'root' }));
  const session = persistentOptions(level, clientId);
  const wide = await shows({ sub: 'ada', subs: ['wide/#', 'settled/#'] });
  const first = await StockClient.connect(t, url, level, { ...wide, ...session });
  const topic = `wide/${unique('topic')}`;
  await first.subscribe([topic, `d/${clientId}/x`]);
  await first.disconnect();
  const narrow = await shows({ sub: 'ada', subs: ['settled/#'] });
  const again = await StockClient.connect(t, url, level, { ...narrow, ...session });
  assert.equal(again.connack.sessionPresent, true);
  await again.subscribe('settled/begun');
  await root.publish(topic, 'no', { qos: 1 });
  await root.publish(`d/${clientId}/x`, 'yes', { qos: 1 });
  await again.messages.find('yes', ({ payload }) => payload === 'yes');
  assert.deepEqual(texts(await again.settled(root)), [`d/${clientId}/x yes`]);
});

atBothLevels('a will that its client may not publish is refused at CONNECT', async (level, t) => {
  const will = { topic: 'd/other', payload: Buffer.from('x'), qos: 0, retain: false } as const;
  const connecting = StockClient.connect(t, url, level, { ...(await shows({ sub: 'ada' })), will });
  await assert.rejects(connecting, { code: level === 5 ? 0x87 : 5 });
});
