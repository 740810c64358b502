import type { Properties } from './packets.js';

/** Packets that can carry properties, by their names in `layouts.ts`; `will` stands for the Will Properties in CONNECT. */
export type Carrier =
  | 'connect'
  | 'will'
  | 'connack'
  | 'publish'
  | 'puback'
  | 'pubrec'
  | 'pubrel'
  | 'pubcomp'
  | 'subscribe'
  | 'suback'
  | 'unsubscribe'
  | 'unsuback'
  | 'disconnect'
  | 'auth';

export type PropertyType = 'byte' | 'uint16' | 'uint32' | 'varint' | 'string' | 'topicName' | 'binary' | 'pair';

export interface PropertyRule {
  id: number;
  name: keyof Properties;
  type: PropertyType;
  /** Carriers from a client and from a server, each with the section of MQTT 5.0 that describes the property there. */
  fromClient: Sections;
  fromServer: Sections;
  /** Whether a packet may have it more than once; its value in `Properties` is a list unless `never`. */
  repeats: 'never' | 'always' | 'from server';
  /** Least and greatest value, where its type alone would allow more. */
  range?: readonly [min: number, max: number];
  /** Refuses a value out of range where it is not the Protocol Error of that section. */
  outOfRange?: { reasonCode: number; clause: string };
}

type Sections = Readonly<Partial<Record<Carrier, string>>>;

type Rest = Pick<PropertyRule, 'range' | 'outOfRange'>;

const BIT: Rest = { range: [0, 1] };
const NONE: Sections = {};

/** MQTT 5.0 table 2-4, in order of identifier. */
export const PROPERTIES: readonly PropertyRule[] = [
  inMessages(0x01, 'payloadFormatIndicator', 'byte', '3.3.2.3.2', '3.1.3.2.3', BIT),
  inMessages(0x02, 'messageExpiryInterval', 'uint32', '3.3.2.3.3', '3.1.3.2.4'),
  inMessages(0x03, 'contentType', 'string', '3.3.2.3.9', '3.1.3.2.5'),
  inMessages(0x08, 'responseTopic', 'topicName', '3.3.2.3.5', '3.1.3.2.6'),
  inMessages(0x09, 'correlationData', 'binary', '3.3.2.3.6', '3.1.3.2.7'),
  {
    ...rule(0x0b, 'subscriptionIdentifiers', 'varint', { subscribe: '3.8.2.1.2' }, { publish: '3.3.2.3.8' }),
    repeats: 'from server',
    range: [1, 268_435_455],
  },
  rule(0x11, 'sessionExpiryInterval', 'uint32', { connect: '3.1.2.11.2', disconnect: '3.14.2.2.2' }, connack('2')),
  rule(0x12, 'assignedClientIdentifier', 'string', NONE, connack('7')),
  rule(0x13, 'serverKeepAlive', 'uint16', NONE, connack('14')),
  inHandshake(0x15, 'authenticationMethod', 'string', '3.1.2.11.9', '17', '3.15.2.2.2'),
  inHandshake(0x16, 'authenticationData', 'binary', '3.1.2.11.10', '18', '3.15.2.2.3'),
  rule(0x17, 'requestProblemInformation', 'byte', { connect: '3.1.2.11.7' }, NONE, BIT),
  rule(0x18, 'willDelayInterval', 'uint32', { will: '3.1.3.2.2' }, NONE),
  rule(0x19, 'requestResponseInformation', 'byte', { connect: '3.1.2.11.6' }, NONE, BIT),
  rule(0x1a, 'responseInformation', 'string', NONE, connack('15')),
  rule(0x1c, 'serverReference', 'string', NONE, { ...connack('16'), disconnect: '3.14.2.2.5' }),
  reasonString(),
  rule(0x21, 'receiveMaximum', 'uint16', { connect: '3.1.2.11.3' }, connack('3'), { range: [1, 0xffff] }),
  rule(0x22, 'topicAliasMaximum', 'uint16', { connect: '3.1.2.11.5' }, connack('8')),
  {
    ...rule(0x23, 'topicAlias', 'uint16', { publish: '3.3.2.3.4' }, { publish: '3.3.2.3.4' }),
    range: [1, 0xffff],
    outOfRange: { reasonCode: 0x94, clause: 'MQTT-3.3.2-8' },
  },
  rule(0x24, 'maximumQoS', 'byte', NONE, connack('4'), BIT),
  rule(0x25, 'retainAvailable', 'byte', NONE, connack('5'), BIT),
  userProperty(),
  rule(0x27, 'maximumPacketSize', 'uint32', { connect: '3.1.2.11.4' }, connack('6'), { range: [1, 0xffff_ffff] }),
  rule(0x28, 'wildcardSubscriptionAvailable', 'byte', NONE, connack('11'), BIT),
  rule(0x29, 'subscriptionIdentifierAvailable', 'byte', NONE, connack('12'), BIT),
  rule(0x2a, 'sharedSubscriptionAvailable', 'byte', NONE, connack('13'), BIT),
];

/** The rule for an identifier; undefined where MQTT 5.0 defines none. */
export const PROPERTY_BY_ID: readonly (PropertyRule | undefined)[] = Array.from({ length: 256 }, (_, id) =>
  PROPERTIES.find((property) => property.id === id),
);

export const PROPERTY_BY_NAME = Object.fromEntries(PROPERTIES.map((property) => [property.name, property])) as Readonly<
  Record<keyof Properties, PropertyRule>
>;

function rule(
  id: number,
  name: keyof Properties,
  type: PropertyType,
  fromClient: Sections,
  fromServer: Sections,
  rest: Rest = {},
): PropertyRule {
  return { id, name, type, fromClient, fromServer, repeats: 'never', ...rest };
}

function inMessages(
  id: number,
  name: keyof Properties,
  type: PropertyType,
  publish: string,
  will: string,
  rest: Rest = {},
): PropertyRule {
  return rule(id, name, type, { publish, will }, { publish }, rest);
}

function inHandshake(
  id: number,
  name: keyof Properties,
  type: PropertyType,
  connect: string,
  inConnack: string,
  auth: string,
): PropertyRule {
  return rule(id, name, type, { connect, auth }, { ...connack(inConnack), auth });
}

function connack(last: string): Sections {
  return { connack: `3.2.2.3.${last}` };
}

function reasonString(): PropertyRule {
  const acknowledgements: Sections = {
    puback: '3.4.2.2.2',
    pubrec: '3.5.2.2.2',
    pubrel: '3.6.2.2.2',
    pubcomp: '3.7.2.2.2',
    disconnect: '3.14.2.2.3',
    auth: '3.15.2.2.4',
  };
  const answers: Sections = { ...connack('9'), suback: '3.9.2.1.2', unsuback: '3.11.2.1.2' };
  return rule(0x1f, 'reasonString', 'string', acknowledgements, { ...acknowledgements, ...answers });
}

function userProperty(): PropertyRule {
  const eitherWay: Sections = {
    publish: '3.3.2.3.7',
    puback: '3.4.2.2.3',
    pubrec: '3.5.2.2.3',
    pubrel: '3.6.2.2.3',
    pubcomp: '3.7.2.2.3',
    disconnect: '3.14.2.2.4',
    auth: '3.15.2.2.5',
  };
  const requests: Sections = {
    connect: '3.1.2.11.8',
    will: '3.1.3.2.8',
    subscribe: '3.8.2.1.3',
    unsubscribe: '3.10.2.1.2',
  };
  const answers: Sections = { ...connack('10'), suback: '3.9.2.1.3', unsuback: '3.11.2.1.3' };
  return {
    ...rule(0x26, 'userProperties', 'pair', { ...eitherWay, ...requests }, { ...eitherWay, ...answers }),
    repeats: 'always',
  };
}
