import { check } from './check.js';
import type { Checked } from './checked.js';
import { Cursor, readVarint } from './cursor.js';
import { LAYOUT_BY_CODE } from './layouts.js';
import { parseChecked } from './packet-parser.js';
import type { Acknowledgement, ClientPacket, Level, Publish, QoS } from './packets.js';
import { readProtocol } from './protocol.js';
import { REASON, type Refusal, refusal } from './reason-codes.js';

/** `level` of a refusal is the one to answer in; null where that is not known, and there is nothing to do but close. */
export type Decoded = { ok: true; packet: ClientPacket } | { ok: false; refusal: Refusal; level: Level | null };

/**
 * Decodes one whole packet, as `split` cuts them, from a client. `level` null: no CONNECT was seen yet, so this must be one
 * [MQTT-3.1.0-1]; it is only then that one is decoded [MQTT-3.1.0-2].
 * Payloads and other binary fields are views of `packet`. Whatever the bytes, it returns; clauses are those of MQTT 5.0
 * where it has one.
 */
export function decode(packet: Uint8Array, level: Level | null): Decoded {
  const bytes = Buffer.isBuffer(packet) ? packet : Buffer.from(packet.buffer, packet.byteOffset, packet.byteLength);
  const cursor = openWhole(bytes);
  const layout = cursor.refusal === null ? LAYOUT_BY_CODE[bytes[0]! >> 4] : undefined;
  if (layout === undefined) return refused(cursor.refusal ?? RESERVED_TYPE, level);
  if (level === null) return layout.name === 'connect' ? decodeConnect(cursor) : refused(NOT_CONNECT, level);
  if (layout.name === 'connect') return refused(SECOND_CONNECT, level);
  if (layout.sentBy === 'server') {
    return refused(refusal(REASON.protocolError, 'section 2.1.2', `a client sends ${layout.name}`), level);
  }
  return finish(cursor, check(cursor, level), level);
}

const RESERVED_TYPE = refusal(REASON.malformedPacket, 'section 2.1.2', 'packet type 0 is reserved');
const NOT_CONNECT = refusal(REASON.protocolError, 'MQTT-3.1.0-1', 'the first packet is not CONNECT');
// Whatever is in it, for DISCONNECT has not all the reason codes that CONNACK has (table 3-10).
const SECOND_CONNECT = refusal(REASON.protocolError, 'MQTT-3.1.0-2', 'a second CONNECT');
const NOT_WHOLE = refusal(REASON.malformedPacket, 'section 2.1.4', 'the Remaining Length is not that of the packet');
const REFUSED_BY_LIBRARY = refusal(REASON.malformedPacket, 'section 1.2', 'the packet cannot be parsed');

/** A cursor at the end of the fixed header. */
function openWhole(bytes: Buffer): Cursor {
  const cursor = new Cursor(bytes, 0, bytes.length);
  const length = readVarint(bytes, 1, bytes.length);
  if (length === 'more') cursor.fail(NOT_WHOLE);
  else if ('clause' in length) cursor.fail(length);
  else if (1 + length.bytes + length.value !== bytes.length) cursor.fail(NOT_WHOLE);
  else cursor.at = 1 + length.bytes;
  return cursor;
}

function decodeConnect(cursor: Cursor): Decoded {
  const protocol = readProtocol(new Cursor(cursor.bytes, cursor.at, cursor.end));
  if (protocol.refusal !== null) return refused(protocol.refusal, protocol.level);
  return finish(cursor, check(cursor, protocol.level), protocol.level);
}

function finish(cursor: Cursor, checked: Checked, level: Level): Decoded {
  if (cursor.refusal !== null) return refused(cursor.refusal, level);
  switch (checked.layout.name) {
    case 'publish':
      return { ok: true, packet: publish(cursor.bytes, checked) };
    case 'puback':
    case 'pubrec':
    case 'pubrel':
    case 'pubcomp':
      return { ok: true, packet: acknowledgement(checked.layout.name, checked) };
    case 'pingreq':
      return { ok: true, packet: { type: 'pingreq' } };
    default: {
      const packet = parseChecked(cursor.bytes, checked, level);
      return packet === null ? refused(REFUSED_BY_LIBRARY, level) : { ok: true, packet };
    }
  }
}

// Built by hand, like the acknowledgements: nearly every packet is one of these, and the check has found all of it already.
function publish(bytes: Buffer, checked: Checked): Publish {
  const { flags, properties } = checked;
  const packet: Publish = {
    type: 'publish',
    topic: checked.topic,
    payload: bytes.subarray(checked.payloadAt),
    qos: ((flags >> 1) & 0x03) as QoS,
    retain: (flags & 0x01) !== 0,
    dup: (flags & 0x08) !== 0,
    packetId: checked.packetId,
  };
  if (properties !== undefined) packet.properties = properties;
  return packet;
}

function acknowledgement(type: Acknowledgement['type'], checked: Checked): Acknowledgement {
  const { packetId, reasonCode, properties } = checked;
  return properties === undefined ? { type, packetId, reasonCode } : { type, packetId, reasonCode, properties };
}

function refused(why: Refusal, level: Level | null): Decoded {
  return { ok: false, refusal: why, level };
}
