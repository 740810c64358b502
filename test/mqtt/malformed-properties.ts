import { byte, lengthed, uint16, uint32, varint } from './malformed-bytes.js';

/** Written out from MQTT 5.0 table 2-4 and the sections that it points to, for comparison with `functions/mqtt/properties.ts`. */

export const CLIENT_CARRIERS = [
  'connect',
  'will',
  'publish',
  'puback',
  'pubrec',
  'pubrel',
  'pubcomp',
  'subscribe',
  'unsubscribe',
  'disconnect',
  'auth',
] as const;
export const SERVER_CARRIERS = [
  'connack',
  'publish',
  'puback',
  'pubrec',
  'pubrel',
  'pubcomp',
  'suback',
  'unsuback',
  'disconnect',
  'auth',
] as const;

export type ClientCarrier = (typeof CLIENT_CARRIERS)[number];
export type ServerCarrier = (typeof SERVER_CARRIERS)[number];

export interface StandardProperty {
  id: number;
  name: string;
  type: 'byte' | 'uint16' | 'uint32' | 'varint' | 'string' | 'binary' | 'pair';
  /** `carrier section`, blank-separated pairs. */
  fromClient: string;
  fromServer: string;
  /** In which direction a packet may have several. */
  many?: 'both' | 'server';
  /** Values that a client may not send although the type holds them; `0x94` where it is not a Protocol Error. */
  forbidden?: readonly number[];
}

const ACKS = (last: number) =>
  `puback 3.4.2.2.${last} pubrec 3.5.2.2.${last} pubrel 3.6.2.2.${last} pubcomp 3.7.2.2.${last}`;
/** Byte properties that are 0 or 1: any other value is wrong. */
const NOT_A_BIT = [2, 255] as const;

export const STANDARD_PROPERTIES: readonly StandardProperty[] = [
  {
    id: 1,
    name: 'payloadFormatIndicator',
    type: 'byte',
    fromClient: 'publish 3.3.2.3.2 will 3.1.3.2.3',
    fromServer: 'publish 3.3.2.3.2',
    // The standard names 0 and 1 and no answer for the others; they are data that it does not allow: Protocol Error.
    forbidden: NOT_A_BIT,
  },
  {
    id: 2,
    name: 'messageExpiryInterval',
    type: 'uint32',
    fromClient: 'publish 3.3.2.3.3 will 3.1.3.2.4',
    fromServer: 'publish 3.3.2.3.3',
  },
  {
    id: 3,
    name: 'contentType',
    type: 'string',
    fromClient: 'publish 3.3.2.3.9 will 3.1.3.2.5',
    fromServer: 'publish 3.3.2.3.9',
  },
  {
    id: 8,
    name: 'responseTopic',
    type: 'string',
    fromClient: 'publish 3.3.2.3.5 will 3.1.3.2.6',
    fromServer: 'publish 3.3.2.3.5',
  },
  {
    id: 9,
    name: 'correlationData',
    type: 'binary',
    fromClient: 'publish 3.3.2.3.6 will 3.1.3.2.7',
    fromServer: 'publish 3.3.2.3.6',
  },
  {
    id: 11,
    name: 'subscriptionIdentifiers',
    type: 'varint',
    // Table 2-4 has it in PUBLISH, but from the server only [MQTT-3.3.4-6].
    fromClient: 'subscribe 3.8.2.1.2',
    fromServer: 'publish 3.3.2.3.8',
    many: 'server',
    forbidden: [0],
  },
  {
    id: 17,
    name: 'sessionExpiryInterval',
    type: 'uint32',
    fromClient: 'connect 3.1.2.11.2 disconnect 3.14.2.2.2',
    // Not in the server's DISCONNECT [MQTT-3.14.2-2].
    fromServer: 'connack 3.2.2.3.2',
  },
  {
    id: 18,
    name: 'assignedClientIdentifier',
    type: 'string',
    fromClient: '',
    fromServer: 'connack 3.2.2.3.7',
  },
  { id: 19, name: 'serverKeepAlive', type: 'uint16', fromClient: '', fromServer: 'connack 3.2.2.3.14' },
  {
    id: 21,
    name: 'authenticationMethod',
    type: 'string',
    fromClient: 'connect 3.1.2.11.9 auth 3.15.2.2.2',
    fromServer: 'connack 3.2.2.3.17 auth 3.15.2.2.2',
  },
  {
    id: 22,
    name: 'authenticationData',
    type: 'binary',
    fromClient: 'connect 3.1.2.11.10 auth 3.15.2.2.3',
    fromServer: 'connack 3.2.2.3.18 auth 3.15.2.2.3',
  },
  {
    id: 23,
    name: 'requestProblemInformation',
    type: 'byte',
    fromClient: 'connect 3.1.2.11.7',
    fromServer: '',
    forbidden: NOT_A_BIT,
  },
  { id: 24, name: 'willDelayInterval', type: 'uint32', fromClient: 'will 3.1.3.2.2', fromServer: '' },
  {
    id: 25,
    name: 'requestResponseInformation',
    type: 'byte',
    fromClient: 'connect 3.1.2.11.6',
    fromServer: '',
    forbidden: NOT_A_BIT,
  },
  { id: 26, name: 'responseInformation', type: 'string', fromClient: '', fromServer: 'connack 3.2.2.3.15' },
  {
    id: 28,
    name: 'serverReference',
    type: 'string',
    // Table 2-4 has it in DISCONNECT; section 3.14.2.2.5 has only the server send it.
    fromClient: '',
    fromServer: 'connack 3.2.2.3.16 disconnect 3.14.2.2.5',
  },
  {
    id: 31,
    name: 'reasonString',
    type: 'string',
    fromClient: `${ACKS(2)} disconnect 3.14.2.2.3 auth 3.15.2.2.4`,
    fromServer: `connack 3.2.2.3.9 ${ACKS(2)} suback 3.9.2.1.2 unsuback 3.11.2.1.2 disconnect 3.14.2.2.3 auth 3.15.2.2.4`,
  },
  {
    id: 33,
    name: 'receiveMaximum',
    type: 'uint16',
    fromClient: 'connect 3.1.2.11.3',
    fromServer: 'connack 3.2.2.3.3',
    forbidden: [0],
  },
  {
    id: 34,
    name: 'topicAliasMaximum',
    type: 'uint16',
    fromClient: 'connect 3.1.2.11.5',
    fromServer: 'connack 3.2.2.3.8',
  },
  {
    id: 35,
    name: 'topicAlias',
    type: 'uint16',
    fromClient: 'publish 3.3.2.3.4',
    fromServer: 'publish 3.3.2.3.4',
    forbidden: [0],
  },
  { id: 36, name: 'maximumQoS', type: 'byte', fromClient: '', fromServer: 'connack 3.2.2.3.4' },
  { id: 37, name: 'retainAvailable', type: 'byte', fromClient: '', fromServer: 'connack 3.2.2.3.5' },
  {
    id: 38,
    name: 'userProperties',
    type: 'pair',
    fromClient: `connect 3.1.2.11.8 will 3.1.3.2.8 publish 3.3.2.3.7 ${ACKS(3)} subscribe 3.8.2.1.3 unsubscribe 3.10.2.1.2 disconnect 3.14.2.2.4 auth 3.15.2.2.5`,
    fromServer: `connack 3.2.2.3.10 publish 3.3.2.3.7 ${ACKS(3)} suback 3.9.2.1.3 unsuback 3.11.2.1.3 disconnect 3.14.2.2.4 auth 3.15.2.2.5`,
    many: 'both',
  },
  {
    id: 39,
    name: 'maximumPacketSize',
    type: 'uint32',
    fromClient: 'connect 3.1.2.11.4',
    fromServer: 'connack 3.2.2.3.6',
    forbidden: [0],
  },
  { id: 40, name: 'wildcardSubscriptionAvailable', type: 'byte', fromClient: '', fromServer: 'connack 3.2.2.3.11' },
  { id: 41, name: 'subscriptionIdentifierAvailable', type: 'byte', fromClient: '', fromServer: 'connack 3.2.2.3.12' },
  { id: 42, name: 'sharedSubscriptionAvailable', type: 'byte', fromClient: '', fromServer: 'connack 3.2.2.3.13' },
];

/** Section that describes the property in that carrier; undefined where it does not belong there. */
export function sectionIn(sections: string, carrier: string): string | undefined {
  const words = sections.split(' ');
  const at = words.indexOf(carrier);
  return at < 0 ? undefined : words[at + 1];
}

/** What no log line may contain. */
export const SECRET = 'sekrit';

/** A property with a value that every carrier allows. */
export function wellFormed({ id, name, type }: StandardProperty, value = 1): Buffer {
  switch (type) {
    case 'byte':
      return Buffer.concat([byte(id), byte(value)]);
    case 'uint16':
      return Buffer.concat([byte(id), uint16(value)]);
    case 'uint32':
      return Buffer.concat([byte(id), uint32(value)]);
    case 'varint':
      return Buffer.concat([byte(id), varint(value)]);
    case 'string':
      return Buffer.concat([byte(id), lengthed(`${SECRET}-${name}`)]);
    case 'binary':
      return Buffer.concat([byte(id), lengthed(Buffer.from(`${SECRET}\xff\0`, 'latin1'))]);
    case 'pair':
      return Buffer.concat([byte(id), lengthed(`${SECRET}-key`), lengthed(`${SECRET}-value`)]);
  }
}

/** Property Length, then the properties. */
export function block(...properties: readonly Buffer[]): Buffer {
  const content = Buffer.concat(properties);
  return Buffer.concat([varint(content.length), content]);
}

/** All that a client may put there; what may be many, twice. */
export function everyProperty(carrier: ClientCarrier): Buffer {
  const fitting = STANDARD_PROPERTIES.filter(({ fromClient }) => sectionIn(fromClient, carrier) !== undefined);
  return block(
    ...fitting.flatMap((one) => (one.many === 'both' ? [wellFormed(one), wellFormed(one)] : [wellFormed(one)])),
  );
}
