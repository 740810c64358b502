import type { Level, Packet } from './packets.js';
import type { Carrier } from './properties.js';
import { REASON, type Refusal, refusal } from './reason-codes.js';

export type FieldType =
  | 'byte'
  | 'uint16'
  /** Two bytes, never 0. */
  | 'packetId'
  | 'string'
  | 'binary'
  /** A string without wildcards. */
  | 'topicName'
  /** A string; its syntax is the session's business. */
  | 'topicFilter'
  /** CONNECT's flags byte: from here on `ifFlags` looks at it. */
  | 'connectFlags'
  | 'subscriptionOptions'
  | 'reasonCode'
  | 'properties'
  /** All that is left of the packet. */
  | 'rest';

export interface Field {
  name: string;
  type: FieldType;
  /** Not there below this level. */
  since?: Level;
  /** There only if one of these bits is set, in the first byte or, in CONNECT, in the connect flags. */
  ifFlags?: number;
  /** May be left out, with all that follows it, where the packet ends; 'in 3.1': at that level only. */
  optional?: 'always' | 'in 3.1';
  /** Whose properties they are, where it is not the packet's own. */
  carrier?: Carrier;
}

export interface Layout {
  code: number;
  name: Packet['type'];
  sentBy: 'client' | 'server' | 'both';
  since: Level;
  /** What the low four bits of the first byte may be. */
  flags: readonly number[];
  /** In MQTT 3.1 also these: a repeated PUBREL, SUBSCRIBE or UNSUBSCRIBE is marked as a duplicate there. */
  flagsIn31?: readonly number[];
  fields: readonly Field[];
  /** Stand once or more after `fields`, to the end of the packet; `clause` demands the once. */
  items?: { fields: readonly Field[]; clause: string };
  /** What a client may put into its reason code, and the clause that says so. */
  clientReasons?: { codes: readonly number[]; clause: string };
}

const PACKET_ID: Field = { name: 'packetId', type: 'packetId' };
const PROPERTIES: Field = { name: 'properties', type: 'properties', since: 5 };
const OPTIONAL_REASON: readonly Field[] = [
  { name: 'reasonCode', type: 'reasonCode', since: 5, optional: 'always' },
  { ...PROPERTIES, optional: 'always' },
];
/** Without 0x10, No matching subscribers, which only a server sends. */
const RECEIVED_REASONS = [0x00, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99] as const;
const RELEASED_REASONS = [0x00, 0x92] as const;
const LEAVING_REASONS = [0, 4, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99] as const;

/** QoS 0 with or without RETAIN; QoS 1 and 2 also with DUP. */
const PUBLISH_FLAGS = [0x0, 0x1, 0x2, 0x3, 0x4, 0x5, 0xa, 0xb, 0xc, 0xd] as const;

/** Every packet of MQTT 3.1, 3.1.1 and 5.0, in order of type. Field by field as on the wire, after the Remaining Length. */
export const LAYOUTS: readonly Layout[] = [
  {
    code: 1,
    name: 'connect',
    sentBy: 'client',
    since: 3,
    flags: [0],
    fields: [
      { name: 'protocolName', type: 'string' },
      { name: 'level', type: 'byte' },
      { name: 'connectFlags', type: 'connectFlags' },
      { name: 'keepAlive', type: 'uint16' },
      PROPERTIES,
      { name: 'clientId', type: 'string' },
      { name: 'willProperties', type: 'properties', since: 5, ifFlags: 0x04, carrier: 'will' },
      { name: 'willTopic', type: 'topicName', ifFlags: 0x04 },
      { name: 'willPayload', type: 'binary', ifFlags: 0x04 },
      { name: 'username', type: 'string', ifFlags: 0x80, optional: 'in 3.1' },
      { name: 'password', type: 'binary', ifFlags: 0x40, optional: 'in 3.1' },
    ],
  },
  {
    code: 2,
    name: 'connack',
    sentBy: 'server',
    since: 3,
    flags: [0],
    fields: [{ name: 'sessionPresent', type: 'byte' }, { name: 'reasonCode', type: 'reasonCode' }, PROPERTIES],
  },
  {
    code: 3,
    name: 'publish',
    sentBy: 'both',
    since: 3,
    flags: PUBLISH_FLAGS,
    fields: [
      { name: 'topic', type: 'topicName' },
      { ...PACKET_ID, ifFlags: 0x06 },
      PROPERTIES,
      { name: 'payload', type: 'rest' },
    ],
  },
  acknowledgement(4, 'puback', { codes: RECEIVED_REASONS, clause: 'MQTT-3.4.2-1' }),
  acknowledgement(5, 'pubrec', { codes: RECEIVED_REASONS, clause: 'MQTT-3.5.2-1' }),
  {
    ...acknowledgement(6, 'pubrel', { codes: RELEASED_REASONS, clause: 'MQTT-3.6.2-1' }),
    flags: [0x2],
    flagsIn31: [0xa],
  },
  acknowledgement(7, 'pubcomp', { codes: RELEASED_REASONS, clause: 'MQTT-3.7.2-1' }),
  {
    code: 8,
    name: 'subscribe',
    sentBy: 'client',
    since: 3,
    flags: [0x2],
    flagsIn31: [0xa],
    fields: [PACKET_ID, PROPERTIES],
    items: {
      fields: [
        { name: 'filter', type: 'topicFilter' },
        { name: 'options', type: 'subscriptionOptions' },
      ],
      clause: 'MQTT-3.8.3-2',
    },
  },
  {
    code: 9,
    name: 'suback',
    sentBy: 'server',
    since: 3,
    flags: [0],
    fields: [PACKET_ID, PROPERTIES, { name: 'reasonCodes', type: 'rest' }],
  },
  {
    code: 10,
    name: 'unsubscribe',
    sentBy: 'client',
    since: 3,
    flags: [0x2],
    flagsIn31: [0xa],
    fields: [PACKET_ID, PROPERTIES],
    items: { fields: [{ name: 'filter', type: 'topicFilter' }], clause: 'MQTT-3.10.3-2' },
  },
  {
    code: 11,
    name: 'unsuback',
    sentBy: 'server',
    since: 3,
    flags: [0],
    fields: [PACKET_ID, PROPERTIES, { name: 'reasonCodes', type: 'rest', since: 5 }],
  },
  { code: 12, name: 'pingreq', sentBy: 'client', since: 3, flags: [0], fields: [] },
  { code: 13, name: 'pingresp', sentBy: 'server', since: 3, flags: [0], fields: [] },
  {
    code: 14,
    name: 'disconnect',
    sentBy: 'both',
    since: 3,
    flags: [0],
    fields: OPTIONAL_REASON,
    clientReasons: { codes: LEAVING_REASONS, clause: 'MQTT-3.14.2-1' },
  },
  {
    code: 15,
    name: 'auth',
    sentBy: 'both',
    since: 5,
    flags: [0],
    fields: OPTIONAL_REASON,
    clientReasons: { codes: [0x18, 0x19], clause: 'MQTT-3.15.2-1' },
  },
];

/** The layout of a packet type; undefined for the reserved type 0. */
export const LAYOUT_BY_CODE: readonly (Layout | undefined)[] = Array.from({ length: 16 }, (_, code) =>
  LAYOUTS.find((layout) => layout.code === code),
);

/** The fields that a level has, by packet type. */
export const FIELDS: Readonly<Record<Level, readonly (readonly Field[])[]>> = {
  3: fieldsByCode(3),
  4: fieldsByCode(4),
  5: fieldsByCode(5),
};

const FIRST_BYTES: Readonly<Record<Level | 'any', readonly (Refusal | null)[]>> = {
  3: firstBytes(3),
  4: firstBytes(4),
  5: firstBytes(5),
  any: firstBytes('any'),
};

/** Why no packet of this level can begin with this byte, or null. 'any': no packet of any level. */
export function firstByteRefusal(byte: number, level: Level | 'any'): Refusal | null {
  return FIRST_BYTES[level][byte] ?? null;
}

function acknowledgement(
  code: number,
  name: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp',
  clientReasons: NonNullable<Layout['clientReasons']>,
): Layout {
  return { code, name, sentBy: 'both', since: 3, flags: [0], fields: [PACKET_ID, ...OPTIONAL_REASON], clientReasons };
}

function fieldsByCode(level: Level): readonly (readonly Field[])[] {
  return LAYOUT_BY_CODE.map((layout) => layout?.fields.filter((field) => (field.since ?? 3) <= level) ?? []);
}

function firstBytes(level: Level | 'any'): readonly (Refusal | null)[] {
  return Array.from({ length: 256 }, (_, byte) => judgeFirstByte(byte, level));
}

function judgeFirstByte(byte: number, level: Level | 'any'): Refusal | null {
  const layout = LAYOUT_BY_CODE[byte >> 4];
  const flags = byte & 0x0f;
  if (layout === undefined) return malformed('section 2.1.2', 'packet type 0 is reserved');
  if (level !== 'any' && layout.since > level) return malformed('section 2.1.2', 'the packet type is reserved');
  if (layout.flags.includes(flags)) return null;
  if (layout.flagsIn31?.includes(flags) && (level === 3 || level === 'any')) return null;
  if (layout.name !== 'publish')
    return malformed('MQTT-2.1.3-1', 'reserved flags of the first byte are not as they must be');
  if ((flags & 0x06) === 0x06) return malformed('MQTT-3.3.1-4', 'both QoS bits are set');
  return malformed('MQTT-3.3.1-2', 'DUP is set at QoS 0');
}

function malformed(clause: string, text: string): Refusal {
  return refusal(REASON.malformedPacket, clause, text);
}
