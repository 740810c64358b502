import { LEVELS } from './levels.js';
import { generate } from './packet-generator.js';
import type { Acknowledgement, Connack, Level, Publish, ServerPacket, Suback } from './packets.js';
import { measureProperties, varintBytes, writeProperties, writeString, writeVarint } from './property-writer.js';
import { REASON } from './reason-codes.js';

/**
 * Encodes a packet for a client of that level, leaving out what the level does not know. Returns null where it cannot
 * say the packet at all: DISCONNECT and AUTH below MQTT 5, and there also a CONNACK whose reason has no return code.
 * The result may be shared: it is not to be changed. The values are the caller's to get right; one that its field
 * cannot hold throws.
 */
export function encode(packet: ServerPacket, level: Level): Uint8Array | null {
  switch (packet.type) {
    case 'publish':
      return stampPublish(publishTemplate(packet, level), packet.packetId, packet.dup);
    case 'puback':
    case 'pubrec':
    case 'pubrel':
    case 'pubcomp':
      return acknowledgement(packet, level);
    case 'pingresp':
      return PINGRESP;
    case 'connack':
      return connack(packet, level);
    case 'suback':
      return generate(LEVELS[level].reasonCodes ? packet : granted(packet), level);
    case 'unsuback':
      return generate(packet, level);
    case 'disconnect':
      return LEVELS[level].serverDisconnect ? generate(packet, level) : null;
    case 'auth':
      return LEVELS[level].auth ? generate(packet, level) : null;
  }
}

/** A PUBLISH that lacks only what differs from receiver to receiver. */
export interface PublishTemplate {
  /** The whole packet, whatever its DUP and Packet Identifier. */
  bytes: Uint8Array;
  /** Offset of the Packet Identifier; 0 at QoS 0, which has none. */
  packetIdAt: number;
  /** Whether the bytes are a receiver's own already. */
  isTaken: boolean;
}

/** Encodes a PUBLISH once for all receivers of one level, QoS and set of options. */
export function publishTemplate(
  publish: Pick<Publish, 'topic' | 'payload' | 'qos' | 'retain' | 'properties'>,
  level: Level,
): PublishTemplate {
  const { topic, payload, qos } = publish;
  const block = LEVELS[level].properties ? measureProperties(publish.properties) : null;
  const packetIdBytes = qos === 0 ? 0 : 2;
  const length = 2 + Buffer.byteLength(topic) + packetIdBytes + (block?.bytes ?? 0) + payload.length;
  const bytes = Buffer.allocUnsafe(1 + varintBytes(length) + length);
  bytes[0] = PUBLISH_FIRST_BYTE | (qos << 1) | (publish.retain ? 1 : 0);
  const packetIdAt = writeString(topic, bytes, writeVarint(length, bytes, 1));
  if (qos !== 0) bytes.writeUInt16BE(0, packetIdAt);
  const propertiesAt = packetIdAt + packetIdBytes;
  bytes.set(payload, block === null ? propertiesAt : writeProperties(block, bytes, propertiesAt));
  return { bytes, packetIdAt: qos === 0 ? 0 : packetIdAt, isTaken: false };
}

/** The packet for one receiver: a copy, but for the first of them, and at QoS 0, where nothing differs. */
export function stampPublish(template: PublishTemplate, packetId: number, dup: boolean): Uint8Array {
  const { bytes, packetIdAt } = template;
  if (packetIdAt === 0) return bytes;
  const stamped = template.isTaken ? Buffer.allocUnsafe(bytes.length) : bytes;
  if (template.isTaken) stamped.set(bytes);
  template.isTaken = true;
  stamped[packetIdAt] = packetId >> 8;
  stamped[packetIdAt + 1] = packetId & 0xff;
  stamped[0] = dup ? stamped[0]! | DUP : stamped[0]! & ~DUP;
  return stamped;
}

const PUBLISH_FIRST_BYTE = 0x30;
const DUP = 0x08;
const PINGRESP = Buffer.from([0xd0, 0x00]);
const ACKNOWLEDGEMENT_FIRST_BYTES: Readonly<Record<Acknowledgement['type'], number>> = {
  puback: 0x40,
  pubrec: 0x50,
  pubrel: 0x62,
  pubcomp: 0x70,
};

/** By hand where it is but a Packet Identifier: older levels have no more, and MQTT 5 may leave out a success (section 3.4.2.1). */
function acknowledgement(packet: Acknowledgement, level: Level): Uint8Array {
  const { type, packetId, reasonCode, properties } = packet;
  const isBare = (reasonCode === REASON.success && properties === undefined) || !LEVELS[level].reasonCodes;
  if (!isBare) return generate(packet, level);
  const bytes = Buffer.allocUnsafe(4);
  bytes[0] = ACKNOWLEDGEMENT_FIRST_BYTES[type];
  bytes[1] = 2;
  bytes[2] = packetId >> 8;
  bytes[3] = packetId & 0xff;
  return bytes;
}

function connack(packet: Connack, level: Level): Uint8Array | null {
  const { returnCodes, sessionPresent } = LEVELS[level];
  const reasonCode = returnCodes === null ? packet.reasonCode : returnCodes[packet.reasonCode];
  if (reasonCode === undefined) return null;
  return generate({ ...packet, reasonCode, sessionPresent: packet.sessionPresent && sessionPresent }, level);
}

/** Below MQTT 5 a SUBACK knows the granted QoS and one kind of failure. */
function granted(packet: Suback): Suback {
  return { ...packet, reasonCodes: packet.reasonCodes.map((code) => Math.min(code, REASON.unspecifiedError)) };
}
