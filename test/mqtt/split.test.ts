import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromSnapshot, toSnapshot } from '../../functions/mqtt/snapshot.js';
import { emptyUndecoded, type Split, split, type Undecoded } from '../../functions/mqtt/split.js';
import { bytesOf, isRefused } from './vector.js';
import { vectors } from './vectors.js';

const MAX_BYTES = 4 * 1024 * 1024;
const PINGREQ = bytesOf('c0 00');

test('every vector comes out the same whole, byte by byte, and in every two parts', () => {
  for (const { name, bytes } of vectors) {
    const whole = bytesOf(bytes);
    const expected = splitAll([whole]);
    assert.deepEqual(splitAll([...whole].map((byte) => Buffer.of(byte))), expected, `${name}, byte by byte`);
    for (let at = 1; at < whole.length; at += 1) {
      assert.deepEqual(splitAll([whole.subarray(0, at), whole.subarray(at)]), expected, `${name}, cut at ${at}`);
    }
  }
});

test('what is accepted is split off whole, with the next packet kept apart', () => {
  for (const { name, bytes, expected } of vectors) {
    if (isRefused(expected)) continue;
    const whole = bytesOf(bytes);
    const { packets, refusal, undecoded } = splitAll([Buffer.concat([PINGREQ, whole, PINGREQ, whole.subarray(0, 1)])]);
    assert.deepEqual(packets, [PINGREQ, whole, PINGREQ], name);
    assert.equal(refusal, null);
    assert.equal(undecoded.bytes, 1);
  }
});

test('a strict prefix of an accepted packet yields no packet and no refusal', () => {
  for (const { name, bytes, expected } of vectors) {
    if (isRefused(expected)) continue;
    const whole = bytesOf(bytes);
    for (let end = 0; end < whole.length; end += 1) {
      const { packets, refusal, undecoded } = splitAll([whole.subarray(0, end)]);
      assert.deepEqual({ packets, refusal, bytes: undecoded.bytes }, { packets: [], refusal: null, bytes: end }, name);
    }
  }
});

test('what is kept survives JSON between any two bytes', () => {
  const whole = bytesOf("30 07 00 03 'a/b' 'hi' c0 00");
  let undecoded = emptyUndecoded();
  const packets: Uint8Array[] = [];
  for (const byte of whole) {
    packets.push(...split(undecoded, Buffer.of(byte), MAX_BYTES).packets);
    undecoded = fromSnapshot<Undecoded>(toSnapshot(undecoded));
  }
  assert.deepEqual(packets, [whole.subarray(0, 9), PINGREQ]);
});

test('packets within one chunk are views of it', () => {
  const chunk = bytesOf("c0 00 30 05 00 03 'a/b'");
  for (const packet of split(emptyUndecoded(), chunk, MAX_BYTES).packets) assert.equal(packet.buffer, chunk.buffer);
});

test('the first byte alone shows reserved flags and the reserved type', () => {
  for (const [first, clause] of [
    ['00', 'section 2.1.2'],
    ['11', 'MQTT-2.1.3-1'],
    ['36', 'MQTT-3.3.1-4'],
    ['38', 'MQTT-3.3.1-2'],
    ['60', 'MQTT-2.1.3-1'],
    ['80', 'MQTT-2.1.3-1'],
    ['c1', 'MQTT-2.1.3-1'],
  ] as const) {
    const { refusal } = splitAll([bytesOf(first)]);
    assert.equal(refusal?.reasonCode, 0x81, first);
    assert.equal(refusal?.clause, clause, first);
  }
});

test('a packet that ends at the limit passes, and one byte more is refused from the fixed header on', () => {
  const whole = bytesOf(`30 64 00 01 't' '${'x'.repeat(97)}'`);
  assert.equal(split(emptyUndecoded(), whole, whole.length).packets.length, 1);
  const undecoded = emptyUndecoded();
  assert.equal(split(undecoded, whole.subarray(0, 1), whole.length - 1).refusal, null);
  const { refusal } = split(undecoded, whole.subarray(1, 2), whole.length - 1);
  assert.equal(refusal?.reasonCode, 0x95);
  assert.deepEqual(undecoded, emptyUndecoded());
});

test('the largest Remaining Length is waited for, and a fifth byte of it is malformed', () => {
  assert.equal(split(emptyUndecoded(), bytesOf('30 ff ff ff 7f'), 0x1000_0000 + 5).refusal, null);
  for (const bytes of ['30 ff ff ff ff', '30 80 80 80 80 01']) {
    const refusal = splitAll([bytesOf(bytes)]).refusal;
    assert.deepEqual([refusal?.reasonCode, refusal?.clause], [0x81, 'MQTT-1.5.5-1']);
  }
});

test('a Remaining Length that is longer than it need be is malformed', () => {
  assert.equal(splitAll([bytesOf('c0 80 00')]).refusal?.clause, 'MQTT-1.5.5-1');
  assert.equal(splitAll([bytesOf('c0 80')]).refusal, null);
});

test('packets before a refusal are still returned, and what follows it is dropped', () => {
  const { packets, refusal, undecoded } = splitAll([Buffer.concat([PINGREQ, PINGREQ, bytesOf('00 c0 00')])]);
  assert.deepEqual(packets, [PINGREQ, PINGREQ]);
  assert.equal(refusal?.clause, 'section 2.1.2');
  assert.deepEqual(undecoded, emptyUndecoded());
});

test('where CONNECT is awaited, the first byte of anything else is refused, but not what follows a CONNECT', () => {
  assert.equal(split(emptyUndecoded(), bytesOf('30'), MAX_BYTES, true).refusal?.clause, 'MQTT-3.1.0-1');
  const { packets, refusal } = split(emptyUndecoded(), bytesOf('10 01 00 c0 00'), MAX_BYTES, true);
  assert.deepEqual([packets.length, refusal], [2, null]);
});

test('four mebibytes byte by byte are kept in few blocks, and put together in linear time', () => {
  const body = Buffer.alloc(MAX_BYTES - 5, 0x61);
  const whole = Buffer.concat([bytesOf('30 fb ff ff 01'), body]);
  const undecoded = emptyUndecoded();
  const packets: Uint8Array[] = [];
  let mostBlocks = 0;
  for (let at = 0; at < whole.length; at += 1) {
    packets.push(...split(undecoded, whole.subarray(at, at + 1), MAX_BYTES).packets);
    mostBlocks = Math.max(mostBlocks, undecoded.chunks.length);
  }
  assert.equal(packets.length, 1);
  assert.ok(whole.equals(packets[0]!));
  assert.ok(mostBlocks < 100, `${mostBlocks} blocks`);
});

test('a chunk that is kept is not copied again and again', () => {
  const undecoded = emptyUndecoded();
  split(undecoded, bytesOf('30 ff ff ff 01'), MAX_BYTES * 2);
  const large = Buffer.alloc(100_000, 0x61);
  split(undecoded, large, MAX_BYTES * 2);
  for (let count = 0; count < 1000; count += 1) split(undecoded, Buffer.of(0x61), MAX_BYTES * 2);
  assert.ok(undecoded.chunks.some((chunk) => chunk === large));
});

function splitAll(chunks: readonly Uint8Array[]): Omit<Split, 'rest'> & { undecoded: Undecoded } {
  const undecoded = emptyUndecoded();
  const packets: Uint8Array[] = [];
  for (const chunk of chunks) {
    const result = split(undecoded, chunk, MAX_BYTES);
    packets.push(...result.packets.map((packet) => Buffer.from(packet)));
    if (result.refusal !== null) return { packets, refusal: result.refusal, undecoded };
  }
  // How the beginning of a packet is kept depends on how it came; that it is kept does not.
  const kept = Buffer.concat(undecoded.chunks);
  return { packets, refusal: null, undecoded: { chunks: kept.length > 0 ? [kept] : [], bytes: undecoded.bytes } };
}

test('no more packets are taken out than are asked for, and the rest is given back', () => {
  const undecoded = emptyUndecoded();
  const first = split(undecoded, bytesOf('c0 00 c0 00 c0 00 c0'), MAX_BYTES, false, 2);
  assert.equal(first.packets.length, 2);
  assert.deepEqual([...first.rest], [0xc0, 0x00, 0xc0]);
  const second = split(undecoded, first.rest, MAX_BYTES, false, 2);
  assert.deepEqual([second.packets.length, second.rest.length, undecoded.bytes], [1, 0, 1]);
});
