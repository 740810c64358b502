import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode } from '../../functions/mqtt/decode.js';
import type { Level } from '../../functions/mqtt/packets.js';
import { fromSnapshot, toSnapshot } from '../../functions/mqtt/snapshot.js';
import { bytesOf, isRefused, type Vector } from './vector.js';
import { vectors } from './vectors.js';

for (const vector of vectors) {
  test(vector.name, () => {
    const decoded = decode(bytesOf(vector.bytes), vector.level);
    if (isRefused(vector.expected)) {
      const { reasonCode, clause, answer = vector.level } = vector.expected;
      assert.ok(!decoded.ok, 'it was accepted');
      assert.deepEqual({ ...decoded.refusal, text: '' }, { reasonCode, clause, text: '' });
      assert.equal(decoded.level, answer);
      assert.notEqual(decoded.refusal.text, '');
    } else {
      assert.deepEqual(decoded, { ok: true, packet: vector.expected });
    }
  });
}

test('every vector has a name of its own', () => {
  assert.equal(new Set(vectors.map(({ name }) => name)).size, vectors.length);
});

test('every packet type that a client sends is accepted at every level that has it', () => {
  const accepted = new Set(vectors.flatMap(typeAtLevel));
  const names = 'connect publish puback pubrec pubrel pubcomp subscribe unsubscribe pingreq disconnect'.split(' ');
  const expected = ([3, 4, 5] as const).flatMap((level) => names.map((name) => `${name} ${level}`));
  assert.deepEqual(accepted, new Set([...expected, 'auth 5']));
});

test('bytes that are not a Buffer decode all the same', () => {
  for (const { bytes, level, expected } of vectors) {
    const whole = bytesOf(bytes);
    const inside = new Uint8Array(whole.length + 2);
    inside.set(whole, 1);
    const decoded = decode(inside.subarray(1, -1), level);
    assert.equal(decoded.ok, !isRefused(expected));
    if (decoded.ok) assert.deepEqual(decoded.packet, expected);
  }
});

test('a decoded packet survives JSON', () => {
  for (const { bytes, level, expected } of vectors) {
    const decoded = decode(bytesOf(bytes), level);
    if (decoded.ok) assert.deepEqual(fromSnapshot(toSnapshot(decoded.packet)), expected);
  }
});

test('no strict prefix of a packet, and no packet with a byte too many, is accepted', () => {
  for (const { name, bytes, level, expected } of vectors) {
    if (isRefused(expected)) continue;
    const whole = bytesOf(bytes);
    for (let end = 0; end < whole.length; end += 1) {
      assert.equal(decode(whole.subarray(0, end), level).ok, false, `${name}, first ${end} bytes`);
    }
    assert.equal(decode(Buffer.concat([whole, Buffer.of(0)]), level).ok, false, `${name}, and a byte`);
  }
});

test('no refusal quotes what a client sent as text', () => {
  for (const { bytes, level } of vectors) {
    const decoded = decode(bytesOf(bytes), level);
    if (!decoded.ok) assert.doesNotMatch(decoded.refusal.text, /MQTX|payload'|a\/b/);
  }
});

function typeAtLevel({ level, expected }: Vector): string[] {
  if (isRefused(expected)) return [];
  const spoken: Level | null = expected.type === 'connect' ? expected.level : level;
  return [`${expected.type} ${spoken}`];
}
