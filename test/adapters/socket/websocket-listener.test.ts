import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { after, before, test } from 'node:test';
import { WebSocket } from 'ws';
import { listenWebSocket } from '../../../functions/adapters/socket/websocket-listener.js';
import { portErrorCode } from '../../../functions/ports/errors.js';
import { Harness, requestOf } from './harness.js';

let harness: Harness;
before(async () => {
  harness = await Harness.listen();
});
after(() => harness.close());

test('the url names the port that was bound', () => {
  assert.match(harness.listener.url, /^ws:\/\/127\.0\.0\.1:[1-9]\d*\/mqtt$/);
});

test('a peer is named by address and port', async () => {
  const { seen } = await harness.connect();
  assert.match(seen.peer.address, /^127\.0\.0\.1:\d+$/);
});

for (const [offered, chosen] of [
  [['mqtt'], 'mqtt'],
  [['mqttv3.1'], 'mqttv3.1'],
  [['mqttv3.1', 'mqtt'], 'mqttv3.1'],
  [['wamp', 'mqtt', 'mqttv3.1'], 'mqtt'],
  [[], ''],
] as const) {
  test(`of the subprotocols [${offered}], '${chosen}' is chosen`, async () => {
    const { client } = await harness.connect([...offered]);
    assert.equal(client.protocol, chosen);
    assert.equal(client.extensions, '', 'compression was agreed on');
  });
}

test('a client that offers only other subprotocols is answered 400', async () => {
  assert.equal((await refusedUpgrade(harness.listener.url, ['wamp'])).status, 400);
});

test('another path is answered 404, in one line', async () => {
  const { status, text } = await refusedUpgrade(harness.listener.url.replace('/mqtt', '/mqtt/'), ['mqtt']);
  assert.equal(status, 404);
  assert.match(text, /^.*\/mqtt.*\n$/);
});

test('a query behind the path is ignored', async () => {
  const client = new WebSocket(`${harness.listener.url}?token=1`, ['mqtt']);
  await once(client, 'open');
  client.terminate();
});

test('a plain GET is answered 426 on the path and 404 elsewhere', async () => {
  const base = harness.listener.url.replace('ws:', 'http:');
  assert.deepEqual(await plainGet(base), { status: 426, upgrade: 'websocket' });
  assert.deepEqual(await plainGet(base.replace('/mqtt', '/')), { status: 404, upgrade: undefined });
});

test('a request to upgrade that is no WebSocket is answered, not served', async () => {
  for (const headers of [
    { Upgrade: 'h2c', Connection: 'Upgrade' },
    { Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Version': '1' },
  ]) {
    const socket = await harness.tcp();
    socket.write(requestOf(headers as Record<string, string>));
    const [answer] = await once(socket, 'data');
    assert.match(String(answer), /^HTTP\/1\.1 400 /);
    socket.destroy();
  }
});

test('a client that resets while it is being refused harms nobody', async () => {
  for (let i = 0; i < 20; i += 1) {
    const socket = await harness.tcp();
    socket.write(requestOf({ Upgrade: 'websocket', Connection: 'Upgrade' }, '/elsewhere'), () =>
      socket.resetAndDestroy(),
    );
    await once(socket, 'close');
  }
  await harness.connect();
});

test('an address in use is refused with a message that names it', async () => {
  const options = { host: '127.0.0.1', port: harness.port, path: '/mqtt', packetMaxBytes: 1024 };
  await assert.rejects(
    listenWebSocket(options, () => assert.fail()),
    (error: Error) => {
      assert.equal(
        error.message,
        `cannot listen on ws://127.0.0.1:${harness.port}/mqtt: another program has this address and port`,
      );
      return portErrorCode(error) === 'unavailable';
    },
  );
});

test('stop takes nobody new and leaves those who are there', async () => {
  const own = await Harness.listen();
  const { client, seen } = await own.connect();
  // Accepted by the operating system before, but not yet a peer.
  const early = await own.tcp();
  await own.listener.stop();
  await assert.rejects(own.connect());
  early.write(requestOf({ Upgrade: 'websocket', Connection: 'Upgrade' }));
  early.resume();
  await once(early, 'close');
  client.send(Buffer.from('x'));
  await seen.until(({ bytes }) => bytes.length === 1);
  await own.close();
});

test('close cuts whoever is left, and resolves when each is told', async () => {
  const own = await Harness.listen();
  const { seen: polite } = await own.connect();
  const { seen: mute } = await own.raw();
  const { socket, seen: stuck } = await own.raw({ allowHalfOpen: true });
  socket.pause();
  for (let i = 0; i < 16; i += 1) stuck.peer.send(Buffer.alloc(1024 * 1024));
  await own.tcp();
  await own.listener.close();
  for (const seen of [polite, mute, stuck]) assert.ok(seen.isClosed);
});

test('an IPv6 address is in brackets', async (t) => {
  const own = await Harness.listen({ host: '::1' }).catch(() => null);
  if (own === null) return t.skip('no IPv6 loopback here');
  assert.match(own.listener.url, /^ws:\/\/\[::1\]:\d+\/mqtt$/);
  const { seen } = await own.connect();
  assert.match(seen.peer.address, /^\[::1\]:\d+$/);
  await own.close();
});

async function refusedUpgrade(url: string, protocols: string[]): Promise<{ status: number; text: string }> {
  const client = new WebSocket(url, protocols);
  client.on('error', () => {});
  const [, response] = (await once(client, 'unexpected-response')) as [unknown, IncomingMessage];
  let text = '';
  for await (const part of response) text += String(part);
  return { status: response.statusCode ?? 0, text };
}

async function plainGet(url: string): Promise<{ status: number | undefined; upgrade: string | undefined }> {
  const [response] = (await once(get(url), 'response')) as [IncomingMessage];
  response.resume();
  return { status: response.statusCode, upgrade: response.headers.upgrade };
}
