import { generate as generatePacket, type Packet as LibraryPacket, writeToStream } from 'mqtt-packet';
import { LEVELS } from './levels.js';
import type { Level, Properties, Publish, ServerPacket, UserProperty } from './packets.js';
import { PROPERTY_BY_NAME } from './properties.js';

// The cache would be 65,536 buffers, made at the first packet.
writeToStream.cacheNumbers = false;

/** Has `mqtt-packet` write one of the packets that are too rare to be worth writing by hand. */
export function generate(packet: Exclude<ServerPacket, Publish | { type: 'pingresp' }>, level: Level): Uint8Array {
  const properties = packet.properties && LEVELS[level].properties ? libraryProperties(packet.properties) : undefined;
  return generatePacket({ ...libraryFields(packet), properties } as LibraryPacket, { protocolVersion: level });
}

function libraryFields(packet: Exclude<ServerPacket, Publish | { type: 'pingresp' }>): object {
  switch (packet.type) {
    case 'connack': {
      const { type: cmd, sessionPresent, reasonCode } = packet;
      return { cmd, sessionPresent, reasonCode, returnCode: reasonCode };
    }
    case 'suback':
    case 'unsuback':
      return { cmd: packet.type, messageId: packet.packetId, granted: packet.reasonCodes };
    case 'puback':
    case 'pubrec':
    case 'pubrel':
    case 'pubcomp':
      return { cmd: packet.type, messageId: packet.packetId, reasonCode: packet.reasonCode };
    case 'disconnect':
    case 'auth':
      return { cmd: packet.type, reasonCode: packet.reasonCode };
  }
}

function libraryProperties(properties: Properties): Record<string, unknown> {
  const converted: Record<string, unknown> = {};
  for (const name of Object.keys(properties) as (keyof Properties)[]) {
    const value = properties[name];
    if (value !== undefined) converted[libraryName(name)] = libraryValue(name, value);
  }
  return converted;
}

function libraryName(name: keyof Properties): string {
  return name === 'subscriptionIdentifierAvailable' ? 'subscriptionIdentifiersAvailable' : name;
}

function libraryValue(name: keyof Properties, value: NonNullable<Properties[keyof Properties]>): unknown {
  // One object of many names would lose the order of the pairs; a list of objects with one name each keeps it.
  if (name === 'userProperties') return (value as UserProperty[]).map((pair) => Object.fromEntries([pair]));
  if (value instanceof Uint8Array) return Buffer.from(value);
  const isFlag = PROPERTY_BY_NAME[name].type === 'byte' && name !== 'maximumQoS';
  return isFlag ? value !== 0 : value;
}
