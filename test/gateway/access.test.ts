import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { WebSocket } from 'ws';
import { THROUGH_GATEWAY } from '../support/behind-gateway.js';
import { StockClient } from '../support/clients.js';
import { issuer, KeyServer, tokenOf } from '../support/tokens.js';
import { eventually, unique, within } from '../support/waiting.js';
import { deploy } from './deployment.js';

const ISSUER = issuer();
const keys = await KeyServer.start(ISSUER);
after(() => keys.stop());
const settings = { PULSEGATE_AUTH: `jwt:${keys.url}`, PULSEGATE_JWT_CLOCK_TOLERANCE_S: '0' };
const deployment = await deploy({ after }, { seed: 11, settings });
const { url } = deployment;

test('a token in the password or the URL is who comes, and what it may do holds behind the gateway', async (t) => {
  const topic = unique('gateway');
  const claims = { sub: 'ada', publ: [`${topic}/#`], subs: [`${topic}/+`] };
  const token = await tokenOf(ISSUER, claims);
  const reader = await StockClient.connect(t, url, 5, { ...THROUGH_GATEWAY, username: 'ada', password: token });
  const writer = await StockClient.connect(t, `${url}?access_token=${token}`, 5, THROUGH_GATEWAY);
  await assert.rejects(reader.subscribe('#'));
  assert.deepEqual(await reader.subscribe(`${topic}/+`, { qos: 1 }), [1]);
  await assert.rejects(writer.publish('elsewhere', 'no', { qos: 1 }), { code: 0x87 });
  await writer.publish(`${topic}/x`, 'yes', { qos: 1 });
  await reader.messages.find('yes', ({ payload }) => payload === 'yes');
  await assert.rejects(StockClient.connect(t, url, 5, THROUGH_GATEWAY), { code: 0x86 });
});

test('a handshake with a token that is no good opens nothing', async () => {
  const socket = new WebSocket(`${url}?access_token=x`, ['mqtt']);
  socket.on('error', () => {});
  const status = new Promise((resolve) => {
    socket.once('unexpected-response', (_request, { statusCode }) => resolve(statusCode));
  });
  assert.match(String(await within('an answer', status)), /^40[13]$/);
});

test('what comes after the token has expired is answered by DISCONNECT 0xA0', async (t) => {
  const expiresAtS = Math.floor(Date.now() / 1000) + 4;
  const password = await tokenOf(ISSUER, {}, expiresAtS);
  const client = await StockClient.connect(t, url, 5, { ...THROUGH_GATEWAY, username: 'x', password });
  await client.publish('in/time', 'x', { qos: 1 });
  await eventually(() => Date.now() >= expiresAtS * 1000);
  client.mqtt.publish('too/late', 'x', { qos: 1 });
  assert.equal((await client.disconnects.take('a DISCONNECT')).reasonCode, 0xa0);
});
