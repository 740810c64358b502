import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { listenTcp } from '../../../functions/adapters/socket/tcp-listener.js';
import { portErrorCode } from '../../../functions/ports/errors.js';
import { TcpHarness } from './tcp-harness.js';

test('the url names the port that was bound', async (t) => {
  const harness = await TcpHarness.listen();
  t.after(() => harness.close());
  assert.match(harness.listener.url, /^mqtt:\/\/127\.0\.0\.1:[1-9]\d*$/);
});

test('an IPv6 address is in brackets', async (t) => {
  const harness = await TcpHarness.listen({ host: '::1' }).catch(() => null);
  if (harness === null) return t.skip('no IPv6 loopback here');
  t.after(() => harness.close());
  assert.match(harness.listener.url, /^mqtt:\/\/\[::1\]:\d+$/);
  const { seen } = await harness.connect();
  assert.match(seen.peer.address, /^\[::1\]:\d+$/);
});

test('an address in use is refused with a message that names it', async (t) => {
  const harness = await TcpHarness.listen();
  t.after(() => harness.close());
  await assert.rejects(
    listenTcp({ host: '127.0.0.1', port: harness.port }, () => assert.fail()),
    (error: Error) => {
      const where = `mqtt://127.0.0.1:${harness.port}`;
      assert.equal(error.message, `cannot listen on ${where}: another program has this address and port`);
      return portErrorCode(error) === 'unavailable';
    },
  );
});

test('stop takes nobody new and leaves those who are there', async (t) => {
  const harness = await TcpHarness.listen();
  t.after(() => harness.close());
  const { client, seen } = await harness.connect();
  await harness.listener.stop();
  await assert.rejects(harness.tcp(), { code: 'ECONNREFUSED' });
  client.write('x');
  await seen.until(({ bytes }) => bytes.length === 1);
});

test('close cuts whoever is left, and resolves when each is told', async () => {
  const harness = await TcpHarness.listen();
  const { client, seen: polite } = await harness.connect();
  client.resume();
  client.once('end', () => client.end());
  const { seen: mute } = await harness.connect();
  const { seen: stuck } = await harness.connect();
  for (let i = 0; i < 16; i += 1) stuck.peer.send(Buffer.alloc(1024 * 1024));
  await harness.listener.close();
  for (const seen of [polite, mute, stuck]) assert.deepEqual(seen.told, ['closed']);
});

test('close resolves where a client resets meanwhile', async () => {
  const harness = await TcpHarness.listen();
  const { client, seen } = await harness.connect();
  seen.peer.send(Buffer.alloc(16 * 1024 * 1024));
  const closed = harness.listener.close();
  client.resetAndDestroy();
  await Promise.all([once(client, 'close'), closed]);
  assert.deepEqual(seen.told, ['closed']);
});
