import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { frame, Harness } from './harness.js';

/** The adapter's deadline is 2 s; this is what a busy machine may add. */
const LATE_MS = 4_000;
let harness: Harness;
before(async () => {
  harness = await Harness.listen();
});
after(() => harness.close());

const CLIENTS: Record<string, (made: Awaited<ReturnType<Harness['raw']>>) => void> = {
  'a client that never answers the close frame': ({ seen }) => seen.peer.close('normal'),
  'a client that never answers and had been paused': ({ seen }) => {
    seen.peer.pause();
    seen.peer.close('normal');
  },
  'a client that stops reading, and is closed': ({ socket, seen }) => {
    socket.pause();
    for (let i = 0; i < 16; i += 1) seen.peer.send(Buffer.alloc(1024 * 1024));
    seen.peer.close('normal');
  },
  'a client that half-closes and stops reading': ({ socket, seen }) => {
    socket.pause();
    for (let i = 0; i < 16; i += 1) seen.peer.send(Buffer.alloc(1024 * 1024));
    socket.end();
  },
  'a client that says goodbye and stops reading': ({ socket, seen }) => {
    socket.pause();
    for (let i = 0; i < 16; i += 1) seen.peer.send(Buffer.alloc(1024 * 1024));
    socket.write(frame(Buffer.from([0x03, 0xe8]), { opcode: 8 }));
  },
};
test('whoever does not finish is cut after the deadline', { concurrency: true }, async (t) => {
  const cut = Object.entries(CLIENTS).map(([name, begin]) =>
    t.test(name, async () => {
      const made = await harness.raw({ allowHalfOpen: true });
      const began = performance.now();
      begin(made);
      await made.seen.until(({ isClosed }) => isClosed);
      assert.ok(performance.now() - began < LATE_MS);
      assert.deepEqual(made.seen.told, ['closed']);
    }),
  );
  await Promise.all(cut);
});

test('a client that half-closes and reads is done at once', async () => {
  const { socket, seen } = await harness.raw({ allowHalfOpen: true });
  socket.end();
  socket.resume();
  await once(socket, 'end');
  await seen.until(({ isClosed }) => isClosed);
});

test('a TCP connection that never asks for anything is cut', async () => {
  const impatient = await Harness.listen({ handshakeTimeoutMs: 200 });
  const silent = await impatient.tcp();
  const slow = await impatient.tcp();
  slow.write('GET /mqtt HTTP/1.1\r\nHost: x\r\n');
  for (const socket of [silent, slow]) socket.resume();
  await Promise.all([once(silent, 'close'), once(slow, 'close')]);
  await impatient.close();
});
