import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { WebSocket } from 'ws';
import type { SocketListener } from '../../../functions/adapters/socket/listening.js';
import { listenWebSocket } from '../../../functions/adapters/socket/websocket-listener.js';
import { type Certificate, makeCertificate } from '../../support/certificate.js';
import { Arrivals, type Seen } from './arrivals.js';
import { TcpHarness } from './tcp-harness.js';

const LISTENERS: Record<string, (tls: Certificate, handshakeTimeoutMs: number) => Promise<SocketListener>> = {
  mqtts: async (tls, handshakeTimeoutMs) => (await TcpHarness.listen({ tls, handshakeTimeoutMs })).listener,
  wss: async (tls, handshakeTimeoutMs) => (await webListener(tls, handshakeTimeoutMs)).listener,
};

const certificate = makeCertificate();
describe('TLS', { skip: certificate === null && 'no openssl' }, () => {
  if (certificate !== null) tlsTests(certificate);
});

function tlsTests(tls: Certificate): void {
  test('the urls say so', async (t) => {
    const [tcp, web] = [await TcpHarness.listen({ tls }), await webListener(tls)];
    t.after(() => Promise.all([tcp.close(), web.listener.close()]));
    assert.match(tcp.listener.url, /^mqtts:\/\/127\.0\.0\.1:[1-9]\d*$/);
    assert.match(web.listener.url, /^wss:\/\/127\.0\.0\.1:[1-9]\d*\/mqtt$/);
  });

  test('a WebSocket over TLS carries bytes both ways', async (t) => {
    const { listener, arrivals } = await webListener(tls);
    const client = new WebSocket(listener.url, ['mqtt'], { ca: tls.cert });
    t.after(() => {
      client.terminate();
      return listener.close();
    });
    await once(client, 'open');
    const seen = await arrivals.next();
    client.send(Buffer.from('up'));
    await seen.until(({ bytes }) => bytes.length === 2);
    seen.peer.send(Buffer.from('down'));
    const [down] = await once(client, 'message');
    assert.equal(String(down), 'down');
    seen.peer.close('going-away');
    const [code] = await once(client, 'close');
    assert.equal(code, 1001);
  });

  test('TLS 1.2 is taken, and nothing before it', async (t) => {
    const harness = await TcpHarness.listen({ tls });
    t.after(() => harness.close());
    const old = { minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' } as const satisfies ConnectionOptions;
    const client = (await harness.tls({ ...old, maxVersion: 'TLSv1.2' })) as TLSSocket;
    assert.equal(client.getProtocol(), 'TLSv1.2');
    await assert.rejects(harness.tls({ ...old, maxVersion: 'TLSv1.1' }), /protocol version/);
  });

  test('a client that does not speak TLS is cut and is no peer', async (t) => {
    const harness = await TcpHarness.listen({ tls });
    t.after(() => harness.close());
    const plain = await harness.tcp();
    plain.write(Buffer.from([0x10, 0, 0, 4, 0x4d, 0x51, 0x54, 0x54]));
    plain.resume();
    await once(plain, 'end');
    plain.destroy();
    const { seen } = await harness.connect();
    assert.deepEqual(seen.told, []);
  });

  for (const [name, listen] of Object.entries(LISTENERS)) {
    test(`${name}: a handshake that does not finish in time is cut`, async (t) => {
      const listener = await listen(tls, 200);
      t.after(() => listener.close());
      const silent = await dial(listener);
      silent.resume();
      await once(silent, 'close');
    });

    test(`${name}: close cuts a handshake under way`, async () => {
      const listener = await listen(tls, 60_000);
      const silent = await dial(listener);
      silent.resume();
      // The server has met it once something that came later is done with.
      const later = await dial(listener);
      later.resume();
      later.write('no TLS\r\n\r\n');
      await once(later, 'close');
      await Promise.all([listener.close(), once(silent, 'close')]);
    });
  }

  test('whoever ends its handshake after stop is cut', async (t) => {
    const harness = await TcpHarness.listen({ tls });
    t.after(() => harness.close());
    const socket = await harness.tcp();
    const { seen: earlier } = await harness.connect();
    await harness.listener.stop();
    const late: Seen[] = [];
    harness.arrivals.onAccept = (seen) => late.push(seen);
    const client = await harness.tls({ socket }).catch(() => null);
    // It may believe itself connected, or learn before that it is not.
    client?.resume();
    if (client !== null) await new Promise((resolve) => client.once('end', resolve).once('error', resolve));
    assert.deepEqual([late, earlier.told], [[], []]);
  });

  test('a renewed certificate is for the handshakes from then on', async (t) => {
    const harness = await TcpHarness.listen({ tls });
    const web = await webListener(tls);
    t.after(() => Promise.all([harness.close(), web.listener.close()]));
    const { client: before, seen } = await harness.connect();
    const renewed = makeCertificate('renewed') as Certificate;
    for (const listener of [harness.listener, web.listener]) listener.renew(renewed);
    const after = (await harness.tls({ ca: renewed.cert, maxVersion: 'TLSv1.2' })) as TLSSocket;
    assert.equal(after.getPeerCertificate().subject.CN, 'renewed');
    const webAfter = new WebSocket(web.listener.url, ['mqtt'], { ca: renewed.cert });
    await once(webAfter, 'open');
    webAfter.terminate();
    before.write('x');
    await seen.until(({ bytes }) => bytes.length === 1);
  });
}

async function webListener(tls: Certificate, handshakeTimeoutMs = 10_000) {
  const arrivals = new Arrivals();
  const options = { host: '127.0.0.1', port: 0, path: '/mqtt', packetMaxBytes: 1024, tls, handshakeTimeoutMs };
  return { listener: await listenWebSocket(options, arrivals.accept), arrivals };
}

async function dial({ url }: SocketListener): Promise<Socket> {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1' });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}
