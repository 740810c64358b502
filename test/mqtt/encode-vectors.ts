import type { Level, ServerPacket } from '../../functions/mqtt/packets.js';
import { block, field, packetOf } from './vector.js';

/** A packet from the server, and its bytes at each level, to be read by `bytesOf`; null: the level cannot say it. */
export interface EncodeVector {
  name: string;
  packet: ServerPacket;
  bytes: Readonly<Record<Level, string | null>>;
}

const userProperties: [string, string][] = [
  ['b', '1'],
  ['10', 'é'],
  ['__proto__', ''],
  ['b', '2'],
];
const USER = `26 ${field('b')} ${field('1')} 26 ${field('10')} ${field('é')} 26 ${field('__proto__')} 00 00 26 ${field('b')} ${field('2')}`;
const REASONS = block(`1f ${field('why')} ${USER}`);
const properties = { reasonString: 'why', userProperties };
const publish = { type: 'publish', topic: 'a/b', payload: Buffer.from('hi'), retain: false, dup: false } as const;

export const encodeVectors: readonly EncodeVector[] = [
  connack('success', 0x00, 0),
  connack('unsupported version', 0x84, 1),
  connack('client identifier', 0x85, 2),
  connack('server unavailable', 0x88, 3),
  connack('bad password', 0x86, 4),
  connack('not authorized', 0x87, 5),
  connack('malformed packet, which has no return code', 0x81, null),
  {
    name: 'CONNACK with a session',
    packet: { type: 'connack', sessionPresent: true, reasonCode: 0 },
    bytes: { 3: '20 02 00 00', 4: '20 02 01 00', 5: '20 03 01 00 00' },
  },
  {
    name: 'CONNACK with every property',
    packet: {
      type: 'connack',
      sessionPresent: false,
      reasonCode: 0,
      properties: {
        sessionExpiryInterval: 0xffffffff,
        receiveMaximum: 10,
        maximumQoS: 1,
        retainAvailable: 0,
        maximumPacketSize: 0x400000,
        assignedClientIdentifier: 'id',
        topicAliasMaximum: 0,
        ...properties,
        wildcardSubscriptionAvailable: 1,
        subscriptionIdentifierAvailable: 0,
        sharedSubscriptionAvailable: 1,
        serverKeepAlive: 600,
        responseInformation: 'r/',
        serverReference: 's',
        authenticationMethod: 'm',
        authenticationData: Uint8Array.of(0, 255),
      },
    },
    bytes: {
      3: '20 02 00 00',
      4: '20 02 00 00',
      5: packetOf(
        '20',
        `00 00 ${block(
          `11 ff ff ff ff 21 00 0a 24 01 25 00 27 00 40 00 00 12 ${field('id')} 22 00 00 1f ${field('why')} ${USER}` +
            ` 28 01 29 00 2a 01 13 02 58 1a ${field('r/')} 1c ${field('s')} 15 ${field('m')} 16 00 02 00 ff`,
        )}`,
      ),
    },
  },
  {
    name: 'PUBLISH QoS 0',
    packet: { ...publish, qos: 0, packetId: 0 },
    bytes: { 3: packetOf('30', "00 03 'a/bhi'"), 4: packetOf('30', "00 03 'a/bhi'"), 5: "30 08 00 03 'a/b' 00 'hi'" },
  },
  {
    name: 'PUBLISH QoS 2 repeated and retained, with every property',
    packet: {
      ...publish,
      qos: 2,
      dup: true,
      retain: true,
      packetId: 0xfffe,
      properties: {
        payloadFormatIndicator: 1,
        messageExpiryInterval: 5,
        contentType: 'é',
        responseTopic: 'r',
        correlationData: Uint8Array.of(1, 2),
        subscriptionIdentifiers: [1, 268_435_455, 128],
        topicAlias: 3,
        userProperties,
      },
    },
    bytes: {
      3: "3d 09 00 03 'a/b' ff fe 'hi'",
      4: "3d 09 00 03 'a/b' ff fe 'hi'",
      5: packetOf(
        '3d',
        `00 03 'a/b' ff fe ${block(
          `01 01 02 00 00 00 05 03 ${field('é')} 08 ${field('r')} 09 00 02 01 02 0b 01 0b ff ff ff 7f 0b 80 01 23 00 03 ${USER}`,
        )} 'hi'`,
      ),
    },
  },
  {
    name: 'PUBLISH of a length of two bytes to a topic beyond ASCII',
    packet: { ...publish, topic: '🚢', qos: 1, packetId: 1, payload: Buffer.from('x'.repeat(200)) },
    bytes: {
      3: packetOf('32', `${field('🚢')} 00 01 '${'x'.repeat(200)}'`),
      4: packetOf('32', `${field('🚢')} 00 01 '${'x'.repeat(200)}'`),
      5: packetOf('32', `${field('🚢')} 00 01 00 '${'x'.repeat(200)}'`),
    },
  },
  ...acknowledgements('puback', '40', 0x97),
  ...acknowledgements('pubrec', '50', 0x83),
  ...acknowledgements('pubrel', '62', 0x92),
  ...acknowledgements('pubcomp', '70', 0x92),
  {
    name: 'SUBACK',
    packet: { type: 'suback', packetId: 258, reasonCodes: [0, 1, 2, 0x80, 0x8f] },
    bytes: { 3: '90 07 01 02 00 01 02 80 80', 4: '90 07 01 02 00 01 02 80 80', 5: '90 08 01 02 00 00 01 02 80 8f' },
  },
  {
    name: 'SUBACK with properties',
    packet: { type: 'suback', packetId: 1, reasonCodes: [0], properties },
    bytes: { 3: '90 03 00 01 00', 4: '90 03 00 01 00', 5: packetOf('90', `00 01 ${REASONS} 00`) },
  },
  {
    name: 'UNSUBACK',
    packet: { type: 'unsuback', packetId: 1, reasonCodes: [0, 0x11] },
    bytes: { 3: 'b0 02 00 01', 4: 'b0 02 00 01', 5: 'b0 05 00 01 00 00 11' },
  },
  {
    name: 'UNSUBACK with properties',
    packet: { type: 'unsuback', packetId: 1, reasonCodes: [0], properties },
    bytes: { 3: 'b0 02 00 01', 4: 'b0 02 00 01', 5: packetOf('b0', `00 01 ${REASONS} 00`) },
  },
  { name: 'PINGRESP', packet: { type: 'pingresp' }, bytes: { 3: 'd0 00', 4: 'd0 00', 5: 'd0 00' } },
  {
    name: 'DISCONNECT',
    packet: { type: 'disconnect', reasonCode: 0x8d },
    bytes: { 3: null, 4: null, 5: 'e0 02 8d 00' },
  },
  {
    name: 'DISCONNECT with properties',
    packet: { type: 'disconnect', reasonCode: 0x9c, properties: { ...properties, serverReference: 's' } },
    bytes: { 3: null, 4: null, 5: packetOf('e0', `9c ${block(`1f ${field('why')} ${USER} 1c ${field('s')}`)}`) },
  },
  {
    name: 'AUTH',
    packet: {
      type: 'auth',
      reasonCode: 0x18,
      properties: { authenticationMethod: 'm', authenticationData: Buffer.of() },
    },
    bytes: { 3: null, 4: null, 5: packetOf('f0', `18 ${block(`15 ${field('m')} 16 00 00`)}`) },
  },
];

function connack(title: string, reasonCode: number, returnCode: number | null): EncodeVector {
  const older = returnCode === null ? null : `20 02 00 0${returnCode}`;
  return {
    name: `CONNACK: ${title}`,
    packet: { type: 'connack', sessionPresent: false, reasonCode },
    bytes: { 3: older, 4: older, 5: `20 03 00 ${reasonCode.toString(16).padStart(2, '0')} 00` },
  };
}

function acknowledgements(
  type: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp',
  first: string,
  failure: number,
): EncodeVector[] {
  const bare = `${first} 02 12 34`;
  const code = failure.toString(16);
  const name = type.toUpperCase();
  const packet = { type, packetId: 0x1234 };
  return [
    { name, packet: { ...packet, reasonCode: 0 }, bytes: { 3: bare, 4: bare, 5: bare } },
    {
      name: `${name} that says failure`,
      packet: { ...packet, reasonCode: failure },
      bytes: { 3: bare, 4: bare, 5: `${first} 04 12 34 ${code} 00` },
    },
    {
      name: `${name} with properties`,
      packet: { ...packet, reasonCode: 0, properties },
      bytes: { 3: bare, 4: bare, 5: packetOf(first, `12 34 00 ${REASONS}`) },
    },
  ];
}
