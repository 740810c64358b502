import { byte, join, lengthed, type Part, type PartKind, uint16, wire } from './malformed-bytes.js';
import { block, type ClientCarrier, everyProperty, SECRET } from './malformed-properties.js';

export type Level = 3 | 4 | 5;
export const LEVELS: readonly Level[] = [3, 4, 5];

/** A packet of a client that the standard allows, in the parts that it consists of. */
export interface Draft {
  type: ClientCarrier | 'pingreq';
  level: Level;
  first: number;
  parts: readonly Part[];
}

export const CLIENT_ID = 'malformed-client';

/** Every packet that a client of that level can send, with everything in it. */
export function draftsOf(level: Level): Draft[] {
  const acknowledgements: Draft[] = (
    [
      ['puback', 0x40],
      ['pubrec', 0x50],
      ['pubrel', 0x62],
      ['pubcomp', 0x70],
    ] as const
  ).map(([type, first]) => ({
    type,
    level,
    first,
    parts: [part('packetId', uint16(7)), ...reasoned(level, type, 0)],
  }));
  const shared: Draft[] = [
    connect(level),
    {
      type: 'publish',
      level,
      first: 0x3d,
      parts: [
        part('string', lengthed('t/a'), 'topic'),
        part('packetId', uint16(1)),
        ...properties(level, 'publish'),
        part('payload', Buffer.from(SECRET)),
      ],
    },
    ...acknowledgements,
    {
      type: 'subscribe',
      level,
      first: 0x82,
      parts: [
        part('packetId', uint16(2)),
        ...properties(level, 'subscribe'),
        part('filter', lengthed('f/+')),
        part('options', byte(2)),
        part('filter', lengthed('f/#'), 'second filter'),
        part('options', byte(level === 5 ? 0x2d : 1), 'second options'),
      ],
    },
    {
      type: 'unsubscribe',
      level,
      first: 0xa2,
      parts: [
        part('packetId', uint16(3)),
        ...properties(level, 'unsubscribe'),
        part('filter', lengthed('f/+')),
        part('filter', lengthed('f/#'), 'second filter'),
      ],
    },
    { type: 'pingreq', level, first: 0xc0, parts: [] },
    { type: 'disconnect', level, first: 0xe0, parts: reasoned(level, 'disconnect', 0x04) },
  ];
  return level === 5 ? [...shared, { type: 'auth', level, first: 0xf0, parts: reasoned(5, 'auth', 0x18) }] : shared;
}

/** CONNECT with what the flags announce, and nothing else; any flags, also wrong ones. */
export function connect(level: Level, flags = 0xf6, id = CLIENT_ID): Draft {
  const parts = [
    part('string', lengthed(level === 3 ? 'MQIsdp' : 'MQTT'), 'protocolName'),
    part('byte', byte(level), 'level'),
    part('connectFlags', byte(flags)),
    part('uint16', uint16(0), 'keepAlive'),
    ...properties(level, 'connect'),
    part('string', lengthed(id), 'clientId'),
  ];
  if (flags & 0x04) {
    parts.push(...properties(level, 'will').map((will) => ({ ...will, name: 'willProperties' })));
    parts.push(part('string', lengthed('w/a'), 'willTopic'), part('binary', lengthed(SECRET), 'willPayload'));
  }
  if (flags & 0x80) parts.push(part('string', lengthed(`${SECRET}-user`), 'username'));
  if (flags & 0x40) parts.push(part('binary', lengthed(SECRET), 'password'));
  return { type: 'connect', level, first: 0x10, parts };
}

/** The CONNECT of a client that is let in: no will, no credentials, no properties, a clean start. */
export function plainConnect(level: Level, id: string): Buffer {
  const head = [lengthed(level === 3 ? 'MQIsdp' : 'MQTT'), byte(level), byte(2), uint16(0)];
  return wire(0x10, Buffer.concat([...head, ...(level === 5 ? [block()] : []), lengthed(id)]));
}

export function draftBytes({ first, parts }: Draft): Buffer {
  return wire(first, join(parts));
}

/** The draft with other bytes for that part. */
export function replaced(draft: Draft, at: number, bytes: Buffer): Buffer {
  return wire(draft.first, join(draft.parts.map((one, place) => (place === at ? { ...one, bytes } : one))));
}

/** The draft with this property block in the place of its own: the will's, or the packet's. */
export function withProperties(draft: Draft, carrier: ClientCarrier, bytes: Buffer): Buffer {
  const name = carrier === 'will' ? 'willProperties' : 'properties';
  const at = draft.parts.findIndex((one) => one.name === name);
  return replaced(draft, at, bytes);
}

function part(kind: PartKind, bytes: Buffer, name: string = kind): Part {
  return { name, kind, bytes };
}

function properties(level: Level, carrier: ClientCarrier): Part[] {
  return level === 5 ? [part('properties', everyProperty(carrier))] : [];
}

function reasoned(level: Level, carrier: ClientCarrier, reason: number): Part[] {
  return level === 5 ? [part('reason', byte(reason)), ...properties(level, carrier)] : [];
}
