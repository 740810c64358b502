import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode } from '../../functions/mqtt/decode.js';
import { encode } from '../../functions/mqtt/encode.js';
import { LEVELS } from '../../functions/mqtt/levels.js';
import type { ClientPacket, Level } from '../../functions/mqtt/packets.js';
import { emptyUndecoded, split } from '../../functions/mqtt/split.js';
import { libraryParse } from './library.js';
import { bytesOf, isRefused } from './vector.js';
import { vectors } from './vectors.js';

const CASES = 20_000;
const SEED = 0x5eed;

test('whatever the bytes, decode answers; and what it accepts means the same to mqtt-packet and when encoded again', () => {
  const random = xorshift(SEED);
  let accepted = 0;
  for (let number = 0; number < CASES; number += 1) {
    const { bytes: text, level } = vectors[random(vectors.length)]!;
    const bytes = mutated(bytesOf(text), random);
    const spoken = random(10) === 0 ? ([null, 3, 4, 5] as const)[random(4)]! : level;
    const about = `case ${number}: ${bytes.toString('hex')} at level ${spoken}`;
    const decoded = decode(bytes, spoken);
    if (decoded.ok) {
      accepted += 1;
      assertSound(decoded.packet, bytes, spoken, about);
    } else {
      assert.ok(decoded.refusal.reasonCode >= 0x80, about);
      assert.match(decoded.refusal.clause, /^(MQTT-\d+\.\d+\.\d+-\d+|section \d[\d.]+)$/, about);
    }
  }
  assert.ok(accepted > CASES / 10, `only ${accepted} accepted`);
});

test('mqtt-packet agrees with the check on every accepted vector', () => {
  for (const { name, bytes, level, expected } of vectors) {
    if (!isRefused(expected)) assertSound(expected, bytesOf(bytes), level, name);
  }
});

test('whatever the bytes and the chunks, split loses and invents nothing', () => {
  const random = xorshift(SEED);
  for (let number = 0; number < 2_000; number += 1) {
    const stream = Buffer.concat(
      Array.from({ length: 5 }, () => {
        const { bytes, expected } = vectors[random(vectors.length)]!;
        return isRefused(expected) ? Buffer.of(0xc0, 0) : bytesOf(bytes);
      }),
    );
    const undecoded = emptyUndecoded();
    const packets: Uint8Array[] = [];
    for (let at = 0; at < stream.length; ) {
      const end = at + 1 + random(40);
      packets.push(...split(undecoded, stream.subarray(at, end), 10_000).packets);
      at = end;
    }
    assert.equal(packets.length, 5);
    assert.ok(Buffer.concat(packets).equals(stream));
  }
});

function assertSound(packet: ClientPacket, bytes: Buffer, level: Level | null, about: string): void {
  const spoken = packet.type === 'connect' ? packet.level : level!;
  assertSameInLibrary(packet, bytes, spoken, about);
  switch (packet.type) {
    case 'publish':
    case 'puback':
    case 'pubrec':
    case 'pubrel':
    case 'pubcomp':
    case 'auth':
      assert.deepEqual(decode(encode(packet, spoken)!, spoken), { ok: true, packet }, about);
      return;
    case 'disconnect':
      if (!LEVELS[spoken].serverDisconnect) return;
      assert.deepEqual(decode(encode(packet, spoken)!, spoken), { ok: true, packet }, about);
      return;
    default:
  }
}

/** Compares what is built by hand; MQTT 3.1's repeated requests and missing credentials are unknown to the library. */
function assertSameInLibrary(packet: ClientPacket, bytes: Buffer, level: Level, about: string): void {
  const parsed = libraryParse(bytes, level);
  if (parsed === undefined) {
    assert.equal(level, 3, about);
    return;
  }
  assert.equal(parsed.cmd, packet.type, about);
  if ('packetId' in packet && packet.packetId !== 0) assert.equal(parsed.messageId, packet.packetId, about);
  if (packet.type === 'publish' && parsed.cmd === 'publish') {
    const { topic, payload, qos, retain, dup } = parsed;
    const ours = {
      topic: packet.topic,
      payload: packet.payload,
      qos: packet.qos,
      retain: packet.retain,
      dup: packet.dup,
    };
    assert.deepEqual({ topic, payload, qos, retain, dup }, ours, about);
  }
  if ('reasonCode' in packet && 'reasonCode' in parsed) assert.equal(parsed.reasonCode, packet.reasonCode, about);
  const theirs = 'properties' in parsed ? Object.keys(parsed.properties ?? {}) : [];
  assert.equal(theirs.length, 'properties' in packet ? Object.keys(packet.properties ?? {}).length : 0, about);
}

type Random = (below: number) => number;

function mutated(bytes: Buffer, random: Random): Buffer {
  const result = Buffer.from(bytes);
  const mutations = random(3);
  for (let count = 0; count < mutations && result.length > 0; count += 1) {
    // The fixed header is spared mostly, or few cases would come as far as the fields.
    const at = random(8) === 0 ? random(result.length) : Math.min(2 + random(result.length), result.length - 1);
    result[at] = random(3) === 0 ? random(256) : result[at]! ^ (1 << random(8));
  }
  if (random(8) !== 0) return result;
  const cut = result.subarray(0, random(result.length + 1));
  if (cut.length > 1 && cut.length < 130) cut[1] = cut.length - 2;
  return cut;
}

function xorshift(seed: number): Random {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
