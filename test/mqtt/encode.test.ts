import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generate, type Packet as LibraryPacket } from 'mqtt-packet';
import { encode, publishTemplate, stampPublish } from '../../functions/mqtt/encode.js';
import type { Publish } from '../../functions/mqtt/packets.js';
import { encodeVectors } from './encode-vectors.js';
import { libraryParse } from './library.js';
import { bytesOf } from './vector.js';

const LEVELS = [3, 4, 5] as const;
const publish: Publish = {
  type: 'publish',
  topic: 'a/b',
  payload: Buffer.from('hi'),
  qos: 1,
  retain: true,
  dup: false,
  packetId: 7,
};

for (const { name, packet, bytes } of encodeVectors) {
  for (const level of LEVELS) {
    const expected = bytes[level];
    test(`${name} ${expected === null ? 'cannot be said' : 'is encoded'} at level ${level}`, () => {
      const encoded = encode(packet, level);
      if (expected === null) assert.equal(encoded, null);
      else assert.equal(encoded && Buffer.from(encoded).toString('hex'), bytesOf(expected).toString('hex'));
    });
  }
}

test('mqtt-packet reads back what was encoded', () => {
  for (const { name, packet, bytes } of encodeVectors) {
    for (const level of LEVELS) {
      if (bytes[level] === null) continue;
      const encoded = encode(packet, level)!;
      const parsed = libraryParse(Buffer.from(encoded), level);
      assert.equal(parsed?.cmd, packet.type, `${name} at level ${level}`);
      if ('packetId' in packet && packet.packetId !== 0) assert.equal(parsed?.messageId, packet.packetId);
      if (parsed?.cmd !== 'publish' || packet.type !== 'publish') continue;
      const { topic, qos, retain, dup, payload } = parsed;
      assert.deepEqual(
        { topic, qos, retain, dup, payload },
        { topic: packet.topic, qos: packet.qos, retain: packet.retain, dup: packet.dup, payload: packet.payload },
      );
    }
  }
});

test('a PUBLISH made by hand is what mqtt-packet makes of it', () => {
  for (const level of LEVELS) {
    for (const qos of [0, 1, 2] as const) {
      for (const length of [8, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152]) {
        const size = length - (5 + (qos === 0 ? 0 : 2) + (level === 5 ? 1 : 0));
        const packet = { ...publish, qos, payload: Buffer.alloc(size, 0x78), packetId: qos === 0 ? 0 : 7 };
        const { packetId, type: cmd, ...fields } = packet;
        const library = generate({ cmd, messageId: packetId, ...fields } as unknown as LibraryPacket, {
          protocolVersion: level,
        });
        assert.ok(library.equals(encode(packet, level)!), `level ${level}, QoS ${qos}, ${length} bytes`);
      }
    }
  }
});

test('every receiver has its own packet, and no stamp changes that of another', () => {
  const template = publishTemplate(publish, 5);
  const stamps = [
    { packetId: 0x1234, dup: true, first: 0x3b },
    { packetId: 0x5678, dup: false, first: 0x33 },
    { packetId: 0x9abc, dup: true, first: 0x3b },
  ];
  const stamped = stamps.map(({ packetId, dup }) => stampPublish(template, packetId, dup));
  for (const [i, { packetId, first }] of stamps.entries()) {
    const expected = Buffer.from(encode({ ...publish, packetId: 0, dup: false }, 5)!);
    expected[0] = first;
    expected.writeUInt16BE(packetId, template.packetIdAt);
    assert.ok(expected.equals(stamped[i]!));
  }
});

test('at QoS 0 the template is the packet', () => {
  const template = publishTemplate({ ...publish, qos: 0 }, 4);
  assert.equal(template.packetIdAt, 0);
  assert.equal(stampPublish(template, 9, true), template.bytes);
});

test('properties that are undefined are not written', () => {
  const properties = { contentType: undefined } as unknown as NonNullable<Publish['properties']>;
  assert.deepEqual(encode({ ...publish, properties }, 5), encode(publish, 5));
});

test('a topic of more than 65,535 bytes throws', () => {
  assert.throws(() => publishTemplate({ ...publish, topic: 'x'.repeat(65_536) }, 4), RangeError);
});
