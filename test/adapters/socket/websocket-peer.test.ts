import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { CLOSE_REASONS, frame, Harness, PACKET_MAX_BYTES } from './harness.js';

const BYTES = Buffer.from([1, 2, 3, 4, 5, 6]);
let harness: Harness;
before(async () => {
  harness = await Harness.listen();
});
after(() => harness.close());

test('binary frames reach the receiver in order', async () => {
  const { client, seen } = await harness.connect();
  client.send(BYTES.subarray(0, 2));
  client.send(BYTES.subarray(2));
  await seen.until(({ bytes }) => bytes.length === BYTES.length);
  assert.deepEqual(seen.bytes, BYTES);
});

test('a message in fragments of one byte, with a ping between, arrives whole', async () => {
  const { socket, seen } = await harness.raw();
  for (let i = 0; i < BYTES.length; i += 1) {
    const isLast = i === BYTES.length - 1;
    socket.write(frame(BYTES.subarray(i, i + 1), { opcode: i === 0 ? 2 : 0, fin: isLast }));
    if (i === 2) socket.write(frame(new Uint8Array(), { opcode: 9 }));
  }
  await seen.until(({ bytes }) => bytes.length === BYTES.length);
  assert.deepEqual(seen.bytes, BYTES);
});

test('a text frame is refused and closes with 1003', async () => {
  const { client, seen } = await harness.connect();
  seen.onRefused = (peer) => peer.close('unsupported-data');
  client.send('text');
  const [code] = await once(client, 'close');
  assert.equal(code, 1003);
  assert.equal(seen.refusal, 'unsupported-data');
  assert.equal(seen.bytes.length, 0);
});

test('a text frame that is not UTF-8 is refused as a text frame', async () => {
  const { socket, seen } = await harness.raw();
  socket.write(frame(Buffer.from([0xff, 0xfe]), { opcode: 1 }));
  await seen.until(({ refusal }) => refusal !== undefined);
  assert.equal(seen.refusal, 'unsupported-data');
});

test('what comes in one read behind a refused frame is not handed on', async () => {
  const { socket, seen } = await harness.raw();
  seen.onRefused = (peer) => peer.close('unsupported-data');
  socket.write(Buffer.concat([frame(Buffer.from('t'), { opcode: 1 }), frame(BYTES)]));
  await seen.until(({ refusal }) => refusal !== undefined);
  socket.destroy();
  await seen.until(({ isClosed }) => isClosed);
  assert.equal(seen.bytes.length, 0);
});

test('an oversized frame is refused by its header, a last packet goes out, then the close frame with 1009', async () => {
  const { socket, seen } = await harness.raw();
  seen.onRefused = (peer) => {
    peer.send(Buffer.from([0xe0, 1, 0x95]));
    peer.close('too-big');
  };
  socket.write(frame(BYTES, { saysBytes: PACKET_MAX_BYTES + 64 * 1024 + 1 }));
  const answer: Buffer[] = [];
  socket.on('data', (bytes) => answer.push(bytes));
  await once(socket, 'end');
  assert.equal(Buffer.concat(answer).subarray(0, 5).toString('hex'), '8203e00195');
  assert.equal(Buffer.concat(answer).subarray(5).readUInt16BE(2), 1009);
  assert.equal(seen.refusal, 'too-big');
});

test('a message is taken up to the packet limit and some slack, because it may hold several packets', async () => {
  const { client, seen } = await harness.connect();
  client.send(Buffer.alloc(PACKET_MAX_BYTES + 64 * 1024));
  await seen.until(({ bytes }) => bytes.length === PACKET_MAX_BYTES + 64 * 1024);
  assert.equal(seen.refusal, undefined);
});

test('an oversized message in small fragments is refused like one in a frame', async () => {
  const { client, seen } = await harness.connect();
  seen.onRefused = (peer) => peer.close('too-big');
  const part = Buffer.alloc(50_000);
  for (let i = 0; i < 4; i += 1) client.send(part, { fin: false });
  const [code] = await once(client, 'close');
  assert.equal(code, 1009);
  assert.equal(seen.refusal, 'too-big');
});

const BREACHES: Record<string, Buffer> = {
  'an unmasked frame': frame(BYTES, { masked: false }),
  'a reserved opcode': frame(BYTES, { opcode: 3 }),
  'a continuation of nothing': frame(BYTES, { opcode: 0 }),
  'a ping in fragments': frame(BYTES, { opcode: 9, fin: false }),
};
for (const [name, bytes] of Object.entries(BREACHES)) {
  test(`${name} is refused and closes with 1002`, async () => {
    const { socket, seen } = await harness.raw();
    socket.write(bytes);
    const [answer] = await once(socket, 'data');
    assert.equal(answer.readUInt16BE(2), 1002);
    assert.equal(seen.refusal, 'protocol-error');
    await seen.until(({ isClosed }) => isClosed);
  });
}

test('a close frame with the code 1009 from the client is no refusal of ours', async () => {
  const { client, seen } = await harness.connect();
  client.close(1009);
  await seen.until(({ isClosed }) => isClosed);
  assert.deepEqual(seen.told, ['closed']);
});

test('what is sent in one turn and by promises resolved in it is one frame, in order', async () => {
  const { client, seen } = await harness.connect();
  seen.peer.send(Buffer.from([1]));
  seen.peer.send(Buffer.from([2]));
  await null;
  seen.peer.send(Buffer.from([3]));
  assert.equal(seen.peer.bufferedBytes, 3);
  const [first] = await once(client, 'message');
  assert.deepEqual(first, Buffer.from([1, 2, 3]));
});

test('a turn with much to send makes frames of 64 KiB at most, but never cuts a packet', async () => {
  const { client, seen } = await harness.connect();
  const sizes: number[] = [];
  let bytes = 0;
  const all = new Promise<void>((resolve) =>
    client.on('message', (data: Buffer) => {
      sizes.push(data.length);
      bytes += data.length;
      if (bytes === 100_000 + 3 * 30_000) resolve();
    }),
  );
  for (const size of [30_000, 30_000, 30_000, 100_000]) seen.peer.send(Buffer.alloc(size));
  await all;
  assert.deepEqual(sizes, [60_000, 30_000, 100_000]);
});

for (const [reason, code] of CLOSE_REASONS) {
  test(`close('${reason}') says ${code} after all that was sent`, async () => {
    const { client, seen } = await harness.connect();
    const got: Buffer[] = [];
    client.on('message', (data: Buffer) => got.push(data));
    seen.peer.send(BYTES);
    seen.peer.close(reason);
    seen.peer.send(Buffer.from('late'));
    const [closeCode] = await once(client, 'close');
    assert.equal(closeCode, code);
    assert.deepEqual(Buffer.concat(got), BYTES);
    await seen.until(({ isClosed }) => isClosed);
  });
}

test('a peer closed while it is being accepted is told nothing but that', async () => {
  harness.arrivals.onAccept = ({ peer }) => peer.close('policy');
  const { client, seen } = await harness.connect();
  harness.arrivals.onAccept = () => {};
  client.send(BYTES);
  const [code] = await once(client, 'close');
  await seen.until(({ isClosed }) => isClosed);
  assert.equal(code, 1008);
  assert.deepEqual(seen.told, ['closed']);
});

test('a paused peer is not read, so the client cannot get rid of its bytes; resumed, it gets all of them', async () => {
  const { client, seen } = await harness.connect();
  seen.peer.pause();
  const chunk = Buffer.alloc(PACKET_MAX_BYTES);
  const count = 300;
  for (let i = 0; i < count; i += 1) client.send(chunk);
  // A whole round trip on another connection: what could be read by now has been.
  const other = await harness.connect();
  other.client.send(BYTES);
  await other.seen.until(({ bytes }) => bytes.length > 0);
  assert.ok(seen.bytes.length < chunk.length, `${seen.bytes.length} bytes were read`);
  assert.ok(client.bufferedAmount > 0);
  let received = 0;
  seen.events.received = (bytes) => {
    received += bytes.length;
    if (received === count * chunk.length) seen.peer.close('normal');
  };
  seen.peer.resume();
  const [code] = await once(client, 'close');
  assert.equal(code, 1000);
});

test('a paused peer can be closed with its goodbye', async () => {
  const { client, seen } = await harness.connect();
  seen.peer.pause();
  seen.peer.close('going-away');
  const [code] = await once(client, 'close');
  assert.equal(code, 1001);
  await seen.until(({ isClosed }) => isClosed);
});

test('a client that takes nothing makes bufferedBytes grow, and bytes that it takes make it shrink', async () => {
  const { socket, seen } = await harness.raw();
  socket.pause();
  const chunk = Buffer.alloc(1024 * 1024);
  for (let i = 0; i < 32; i += 1) seen.peer.send(chunk);
  assert.ok(seen.peer.bufferedBytes > 16 * chunk.length);
  let taken = 0;
  socket.on('data', (bytes) => {
    taken += bytes.length;
    if (taken >= 32 * chunk.length) socket.write(frame(BYTES));
  });
  socket.resume();
  await seen.until(({ bytes }) => bytes.length > 0);
  assert.equal(seen.peer.bufferedBytes, 0);
});

test('a reset connection is closed for the receiver and harms nobody else', async () => {
  const { socket, seen } = await harness.raw();
  const other = await harness.connect();
  for (let i = 0; i < 4; i += 1) seen.peer.send(Buffer.alloc(1024 * 1024));
  socket.resetAndDestroy();
  await seen.until(({ isClosed }) => isClosed);
  seen.peer.send(BYTES);
  seen.peer.close('normal');
  other.client.send(BYTES);
  await other.seen.until(({ bytes }) => bytes.length > 0);
});
