import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { makeCertificate } from '../../support/certificate.js';
import { CLOSE_REASONS } from './harness.js';
import { allOf, TcpHarness } from './tcp-harness.js';

const BYTES = Buffer.from([1, 2, 3, 4, 5, 6]);
const MIB = 1024 * 1024;
/** The adapter's deadline is 2 s; this is what a busy machine may add. */
const LATE_MS = 4_000;

const certificate = makeCertificate();
describe('over TCP', () => peerTests(() => TcpHarness.listen()));
describe('over TLS', { skip: certificate === null && 'no openssl' }, () =>
  peerTests(() => TcpHarness.listen(certificate === null ? {} : { tls: certificate })),
);

function peerTests(listen: () => Promise<TcpHarness>): void {
  let harness: TcpHarness;
  before(async () => {
    harness = await listen();
  });
  after(() => harness.close());

  test('a peer is named by address and port, and its bytes reach the receiver in order', async () => {
    const { client, seen } = await harness.connect();
    assert.equal(seen.peer.address, `127.0.0.1:${client.localPort}`);
    client.write(BYTES.subarray(0, 2));
    client.write(BYTES.subarray(2));
    await seen.until(({ bytes }) => bytes.length === BYTES.length);
    assert.deepEqual(seen.bytes, BYTES);
  });

  test('what is sent in one turn and by promises resolved in it is one write, in order', async () => {
    const { client, seen } = await harness.connect();
    seen.peer.send(Buffer.from([1]));
    seen.peer.send(Buffer.from([2]));
    await null;
    seen.peer.send(Buffer.from([3]));
    assert.equal(seen.peer.bufferedBytes, 3);
    const [first] = await once(client, 'data');
    assert.deepEqual(first, Buffer.from([1, 2, 3]));
  });

  for (const [reason] of CLOSE_REASONS) {
    test(`close('${reason}') ends the connection after all that was sent`, async () => {
      const { client, seen } = await harness.connect();
      seen.peer.send(BYTES);
      seen.peer.close(reason);
      seen.peer.close('normal');
      seen.peer.send(Buffer.from('late'));
      assert.deepEqual(await allOf(client), BYTES);
      client.end();
      await seen.until(({ isClosed }) => isClosed);
      assert.deepEqual(seen.told, ['closed']);
    });
  }

  test('a last packet arrives although the client has sent more than was read, and then it is done at once', async () => {
    const { client, seen } = await harness.connect();
    const began = performance.now();
    seen.peer.pause();
    client.write(Buffer.alloc(MIB));
    seen.peer.send(BYTES);
    seen.peer.close('too-big');
    assert.deepEqual(await allOf(client), BYTES);
    client.end();
    await seen.until(({ isClosed }) => isClosed);
    assert.ok(performance.now() - began < 1_000);
  });

  test('a peer closed while it is being accepted is told nothing but that', async () => {
    harness.arrivals.onAccept = ({ peer }) => peer.close('policy');
    const { client, seen } = await harness.connect();
    harness.arrivals.onAccept = () => {};
    client.end(BYTES);
    assert.equal((await allOf(client)).length, 0);
    await seen.until(({ isClosed }) => isClosed);
    assert.deepEqual(seen.told, ['closed']);
  });

  test('a client that half-closes gets what was sent, and is done at once', async () => {
    const { client, seen } = await harness.connect();
    const began = performance.now();
    client.end(BYTES);
    seen.events.received = () => seen.peer.send(BYTES);
    assert.deepEqual(await allOf(client), BYTES);
    await seen.until(({ isClosed }) => isClosed);
    assert.ok(performance.now() - began < 1_000);
  });

  test('a paused peer is not read, so the client cannot get rid of its bytes; resumed, it gets all of them', async () => {
    const { client, seen } = await harness.connect();
    seen.peer.pause();
    const chunk = Buffer.alloc(MIB);
    const count = 32;
    for (let i = 0; i < count; i += 1) client.write(chunk);
    // A whole round trip on another connection: what could be read by now has been.
    const other = await harness.connect();
    other.client.write(BYTES);
    await other.seen.until(({ bytes }) => bytes.length > 0);
    assert.ok(seen.bytes.length < chunk.length, `${seen.bytes.length} bytes were read`);
    assert.ok(client.writableLength > 0);
    let received = 0;
    const all = new Promise<void>((resolve) => {
      seen.events.received = (bytes) => {
        received += bytes.length;
        if (received === count * chunk.length) resolve();
      };
    });
    seen.peer.resume();
    await all;
  });

  test('a client that takes nothing makes bufferedBytes grow, and bytes that it takes make it shrink', async () => {
    const { client, seen } = await harness.connect();
    for (let i = 0; i < 32; i += 1) seen.peer.send(Buffer.alloc(MIB));
    assert.ok(seen.peer.bufferedBytes > 16 * MIB);
    let taken = 0;
    client.on('data', (bytes: Buffer) => {
      taken += bytes.length;
      if (taken === 32 * MIB) client.write(BYTES);
    });
    await seen.until(({ bytes }) => bytes.length > 0);
    assert.equal(seen.peer.bufferedBytes, 0);
  });

  test('a reset connection is closed for the receiver and harms nobody else', async () => {
    const { tcp, seen } = await harness.connect();
    const other = await harness.connect();
    for (let i = 0; i < 4; i += 1) seen.peer.send(Buffer.alloc(MIB));
    tcp.resetAndDestroy();
    await seen.until(({ isClosed }) => isClosed);
    seen.peer.send(BYTES);
    seen.peer.pause();
    seen.peer.resume();
    seen.peer.close('normal');
    other.client.write(BYTES);
    await other.seen.until(({ bytes }) => bytes.length > 0);
    assert.deepEqual(seen.told, ['closed']);
  });

  const UNFINISHED: Record<string, (made: Awaited<ReturnType<TcpHarness['connect']>>) => void> = {
    'a client that keeps its half open': ({ client, seen }) => {
      client.resume();
      seen.peer.close('normal');
    },
    'a client that keeps its half open, of a paused peer': ({ client, seen }) => {
      client.resume();
      seen.peer.pause();
      seen.peer.close('normal');
    },
    'a client that stops reading, and is closed': ({ seen }) => {
      for (let i = 0; i < 16; i += 1) seen.peer.send(Buffer.alloc(MIB));
      seen.peer.close('normal');
    },
    'a client that half-closes and stops reading': ({ client, seen }) => {
      for (let i = 0; i < 16; i += 1) seen.peer.send(Buffer.alloc(MIB));
      client.end();
    },
  };
  test('whoever does not finish is cut after the deadline', { concurrency: true }, async (t) => {
    const cut = Object.entries(UNFINISHED).map(([name, begin]) =>
      t.test(name, async () => {
        const made = await harness.connect();
        const began = performance.now();
        begin(made);
        await made.seen.until(({ isClosed }) => isClosed);
        const tookMs = performance.now() - began;
        assert.ok(tookMs > 1_500 && tookMs < LATE_MS, `${tookMs} ms`);
        assert.deepEqual(made.seen.told, ['closed']);
      }),
    );
    await Promise.all(cut);
  });
}
