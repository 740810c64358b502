import type { Part } from './malformed-bytes.js';
import type { Level } from './malformed-drafts.js';

/** What the standard says of a packet: the reason code of MQTT 5, and the statement or section that it breaks. */
export interface Verdict {
  reason: number;
  clause: string;
}

/** Cannot be parsed (section 1.2). */
const malformed = (clause: string): Verdict => ({ reason: 0x81, clause });
/** Can be parsed, and says what may not be said (section 1.2). */
const protocolError = (clause: string): Verdict => ({ reason: 0x82, clause });

/**
 * Numbers are those of MQTT 5.0. Where 3.1.1 has the rule under another one, it stands behind it; MQTT 3.1 numbers nothing and
 * demands less, and where it says nothing ("not used", "reserved") it is read as 3.1.1 reads it. These choices are ours:
 *
 * - An answer before a close is optional (sections 3.1.4, 4.13.1: MAY, SHOULD). We give one wherever the level has one.
 * - A CONNECT whose protocol or level cannot be told is closed without a CONNACK: nobody knows in which form.
 * - A length that is not the shortest is refused at every level, though 3.1.1 does not say so: it is judged before the level.
 * - Values outside an enumeration (reason codes, Payload Format Indicator) have no answer of their own: Protocol Error.
 * - A wildcard in a Topic Name is 0x90, by name the reason for it, though its description says "correctly formed".
 * - A filter that is no filter fails in its SUBACK, 0x8F or 0x80, and the connection stays; closing would be allowed, too.
 * - A property or a packet that table 2-4 or 2-1 has, but from the server only, is refused like one that it has not: Server Reference
 *   in DISCONNECT 0x81, CONNACK from a client 0x82.
 * - A bad fixed header that comes while a CONNECT is being decided refuses that CONNECT; a bad body waits for its turn.
 * - An empty Response Topic is refused like any empty Topic Name [MQTT-4.7.3-1].
 * - MQTT 3.1 client identifiers may be longer than 23 characters, as every server has it.
 * - U+FEFF, non-characters and control characters pass (section 1.5.4: SHOULD NOT); payloads are not checked against their
 *   Payload Format Indicator (section 3.3.2.3.2: MAY).
 */
export const RULES = {
  reservedType: malformed('section 2.1.2'),
  serverPacket: protocolError('section 2.1.2'),
  // 3.1.1 [MQTT-2.2.2-1], [MQTT-2.2.2-2].
  reservedFlags: malformed('MQTT-2.1.3-1'),
  remainingBytes: malformed('section 2.1.4'),
  lengthForm: malformed('MQTT-1.5.5-1'),
  notShortest: malformed('MQTT-1.5.5-1'),
  packetTooLarge: { reason: 0x95, clause: 'MQTT-3.2.2-15' },

  cutByte: malformed('section 1.5.1'),
  cutUint16: malformed('section 1.5.2'),
  cutUint32: malformed('section 1.5.3'),
  cutString: malformed('section 1.5.4'),
  cutVarint: malformed('section 1.5.5'),
  cutBinary: malformed('section 1.5.6'),
  cutProperties: malformed('section 2.2.2.1'),
  // 3.1.1 [MQTT-1.5.3-1] and [MQTT-1.5.3-2].
  notUtf8: malformed('MQTT-1.5.4-1'),
  nullCharacter: malformed('MQTT-1.5.4-2'),

  // 3.1.1 [MQTT-2.3.1-1]. An answer repeats the identifier of a PUBLISH [MQTT-2.2.1-5], so it is not 0 either.
  packetId0: protocolError('MQTT-2.2.1-3'),
  misplacedProperty: malformed('section 2.2.2.2'),

  firstIsNotConnect: protocolError('MQTT-3.1.0-1'),
  secondConnect: protocolError('MQTT-3.1.0-2'),
  protocolName: { reason: 0x84, clause: 'MQTT-3.1.2-1' },
  protocolLevel: { reason: 0x84, clause: 'MQTT-3.1.2-2' },
  connectReserved: malformed('MQTT-3.1.2-3'),
  willQosWithoutWill: malformed('MQTT-3.1.2-11'),
  willQos3: malformed('MQTT-3.1.2-12'),
  willRetainWithoutWill: malformed('MQTT-3.1.2-13'),
  // MQTT 3.1.1 only: [MQTT-3.1.2-22]. MQTT 5 allows it.
  passwordAlone: malformed('MQTT-3.1.2-22'),
  // 3.1.1 [MQTT-3.1.3-8]; MQTT 5 assigns one [MQTT-3.1.3-6].
  emptyClientId: { reason: 0x85, clause: 'MQTT-3.1.3-8' },
  authenticationDataAlone: protocolError('section 3.1.2.11.10'),
  authenticationMethod: { reason: 0x8c, clause: 'MQTT-4.12.0-1' },

  dupAtQos0: malformed('MQTT-3.3.1-2'),
  qos3: malformed('MQTT-3.3.1-4'),
  topicWildcard: { reason: 0x90, clause: 'MQTT-3.3.2-2' },
  topicEmpty: protocolError('section 3.3.2.1'),
  // Before MQTT 5, and of a will.
  topicEmptyAlways: protocolError('MQTT-4.7.3-1'),
  responseTopicWildcard: protocolError('MQTT-3.3.2-14'),
  responseTopicEmpty: protocolError('MQTT-4.7.3-1'),
  topicAlias0: { reason: 0x94, clause: 'MQTT-3.3.2-8' },
  topicAliasTooHigh: { reason: 0x94, clause: 'MQTT-3.3.2-9' },
  topicAliasUnknown: protocolError('section 3.3.2.3.4'),
  subscriptionIdentifierInPublish: protocolError('MQTT-3.3.4-6'),

  emptySubscribe: protocolError('MQTT-3.8.3-2'),
  // 3.1.1 [MQTT-3-8.3-4].
  optionsReserved: malformed('MQTT-3.8.3-5'),
  optionsValue: protocolError('section 3.8.3.1'),
  sharedNoLocal: protocolError('MQTT-3.8.3-4'),
  emptyUnsubscribe: protocolError('MQTT-3.10.3-2'),

  pubackReason: protocolError('MQTT-3.4.2-1'),
  pubrecReason: protocolError('MQTT-3.5.2-1'),
  pubrelReason: protocolError('MQTT-3.6.2-1'),
  pubcompReason: protocolError('MQTT-3.7.2-1'),
  disconnectReason: protocolError('MQTT-3.14.2-1'),
  authReason: protocolError('MQTT-3.15.2-1'),
  expiryRaised: protocolError('section 3.14.2.2.2'),
  authWithoutMethod: protocolError('section 3.15.2.2.2'),
  authUnasked: protocolError('MQTT-4.12.0-7'),
} as const satisfies Readonly<Record<string, Verdict>>;

/** Reason codes that a client may send: the "Sent by" columns of tables 3-10 and 3-13, and tables 3-4, 3-5, 3-6 and 3-7. */
export const CLIENT_REASONS = {
  // 0x10, No matching subscribers, "is sent only by the Server".
  puback: [0x00, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99],
  pubrec: [0x00, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99],
  pubrel: [0x00, 0x92],
  pubcomp: [0x00, 0x92],
  disconnect: [0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99],
  auth: [0x18, 0x19],
} as const;

/** What a field lacks of which only the first `left` bytes are there, and nothing behind it. */
export function cutOff({ kind, bytes }: Pick<Part, 'kind' | 'bytes'>, left: number): Verdict {
  switch (kind) {
    case 'byte':
    case 'connectFlags':
    case 'options':
    case 'reason':
      return RULES.cutByte;
    case 'uint16':
    case 'packetId':
      return RULES.cutUint16;
    case 'string':
    case 'filter':
      return left < 2 ? RULES.cutUint16 : RULES.cutString;
    case 'binary':
      return left < 2 ? RULES.cutUint16 : RULES.cutBinary;
    case 'properties':
      return left < bytes.findIndex((octet) => octet < 0x80) + 1 ? RULES.cutVarint : RULES.cutProperties;
    case 'payload':
      throw new Error('a payload may end anywhere');
  }
}

/** How the server ends a connection: the bytes of a packet before the close, or only the close. */
export type Answer = { packet: 'connack' | 'disconnect'; level: Level; reason: number } | { packet: 'none' };

/** CONNACK before 5 has five refusals, of which bytes alone can bring out two (3.1.1 table 3.1). */
const RETURN_CODES: Readonly<Record<number, number>> = { 132: 1, 133: 2 };

/** MQTT 5.0 section 4.13.1; 3.1.1 [MQTT-3.1.4-1], [MQTT-3.2.2-6], [MQTT-4.8.0-1]. `level` null: nobody knows it. */
export function answerTo(verdict: Verdict, when: 'first' | 'connected', level: Level | null): Answer {
  if (level === null) return { packet: 'none' };
  if (when === 'connected') {
    return level === 5 ? { packet: 'disconnect', level, reason: verdict.reason } : { packet: 'none' };
  }
  const reason = level === 5 ? verdict.reason : RETURN_CODES[verdict.reason];
  return reason === undefined ? { packet: 'none' } : { packet: 'connack', level, reason };
}
