import { byte, lengthed, uint16, uint32, wire } from './malformed-bytes.js';
import { asFirst, type Case, whenConnected } from './malformed-case.js';
import {
  CLIENT_ID,
  connect,
  draftBytes,
  LEVELS,
  type Level,
  plainConnect,
  withProperties,
} from './malformed-drafts.js';
import { octets } from './malformed-fields.js';
import { block, SECRET } from './malformed-properties.js';
import { RULES, type Verdict } from './malformed-standard.js';

/** Topic aliases that the server under test takes. */
export const TOPIC_ALIAS_MAXIMUM = 32;

/** What is well formed field by field, and wrong as a whole. */
export function meaningCases(): Case[] {
  return [
    ...LEVELS.flatMap((level) => [...flags(level), ...topics(level), ...empties(level), ...again(level)]),
    ...protocols(),
    ...properties(),
    ...clientIds(),
  ];
}

/** All 256 values of the connect flags (section 3.1.2.3), each with the payload that it announces. */
function flags(level: Level): Case[] {
  return octets((value) => verdictsOnFlags(value, level).length > 0).map((value) =>
    asFirst(
      `CONNECT with the connect flags ${value} is refused`,
      level,
      draftBytes(connect(level, value)),
      verdictsOnFlags(value, level),
    ),
  );
}

export function verdictsOnFlags(value: number, level: Level): Verdict[] {
  const isSet = (mask: number) => (value & mask) !== 0;
  return [
    isSet(0x01) && RULES.connectReserved,
    !isSet(0x04) && isSet(0x18) && RULES.willQosWithoutWill,
    !isSet(0x04) && isSet(0x20) && RULES.willRetainWithoutWill,
    (value & 0x18) === 0x18 && RULES.willQos3,
    level < 5 && (value & 0xc0) === 0x40 && RULES.passwordAlone,
  ].filter((verdict) => verdict !== false);
}

function topics(level: Level): Case[] {
  const empty = level === 5 ? RULES.topicEmpty : RULES.topicEmptyAlways;
  const publish = (topic: string) =>
    wire(0x30, Buffer.concat([lengthed(topic), ...(level === 5 ? [block()] : []), Buffer.from(SECRET)]));
  const willed = (topic: string) => {
    const draft = connect(level);
    return draftBytes({
      ...draft,
      parts: draft.parts.map((part) => (part.name === 'willTopic' ? { ...part, bytes: lengthed(topic) } : part)),
    });
  };
  const wild = ['#', '+', 'a/#', 'a/+/b', '+/a', 'a#', 'a+b', '$share/g/#'];
  return [
    ...wild.map((topic) => whenConnected(`PUBLISH to ${topic} is refused`, level, publish(topic), RULES.topicWildcard)),
    ...wild.map((topic) =>
      asFirst(`CONNECT with a will for ${topic} is refused`, level, willed(topic), RULES.topicWildcard),
    ),
    whenConnected('PUBLISH to an empty topic is refused', level, publish(''), empty),
    asFirst('CONNECT with a will for an empty topic is refused', level, willed(''), RULES.topicEmptyAlways),
  ];
}

function empties(level: Level): Case[] {
  const none = level === 5 ? [block()] : [];
  const request = (first: number) => wire(first, Buffer.concat([uint16(9), ...none]));
  return [
    whenConnected('SUBSCRIBE to nothing is refused', level, request(0x82), RULES.emptySubscribe),
    whenConnected('UNSUBSCRIBE from nothing is refused', level, request(0xa2), RULES.emptyUnsubscribe),
  ];
}

/** A second CONNECT, whatever is in it: its own faults do not matter any more, nor does the level that it asks for. */
function again(level: Level): Case[] {
  const contents: Record<string, Buffer> = {
    'of the same client': plainConnect(level, CLIENT_ID),
    'of another level': plainConnect(level === 5 ? 4 : 5, CLIENT_ID),
    'of a level that there is not': wire(0x10, Buffer.concat([lengthed('MQTT'), Buffer.of(9, 2, 0, 0), lengthed('c')])),
    'of another protocol': wire(0x10, Buffer.concat([lengthed('HTTP'), Buffer.of(4, 2, 0, 0), lengthed('c')])),
    'with the reserved flag': draftBytes(connect(level, 3)),
    'without a body': wire(0x10, Buffer.alloc(0)),
    'cut in its protocol name': wire(0x10, Buffer.from('0004 4d51'.replace(' ', ''), 'hex')),
  };
  return Object.entries(contents).map(([what, bytes]) =>
    whenConnected(`a second CONNECT ${what} is refused`, level, bytes, RULES.secondConnect),
  );
}

/**
 * Names and levels that there are not (3.1.1 [MQTT-3.1.2-1] and [MQTT-3.1.2-2], 5.0 sections 3.1.2.1 and 3.1.2.2). The answer is in the
 * greatest level of that name that is not above the one asked for, or its least; bit 7 marks a bridge and does not count. Ours to choose.
 */
function protocols(): Case[] {
  const head = (name: string, level: number) =>
    wire(0x10, Buffer.concat([lengthed(name), byte(level), Buffer.of(2, 0, 0), lengthed('c')]));
  return [
    ...octets((value) => value !== 4 && value !== 5).map((value) =>
      asFirst(
        `CONNECT for MQTT level ${value} is refused`,
        4,
        head('MQTT', value),
        RULES.protocolLevel,
        (value & 0x7f) >= 5 ? 5 : 4,
      ),
    ),
    ...octets((value) => value !== 3).map((value) =>
      asFirst(`CONNECT for MQIsdp level ${value} is refused`, 3, head('MQIsdp', value), RULES.protocolLevel, 3),
    ),
    ...[
      '',
      'mqtt',
      'MQTT ',
      'MQT',
      'MQTT5',
      'MQISDP',
      'MQIsdP',
      'HTTP',
      '__proto__',
      'toString',
      '\ufeffMQTT',
      'M'.repeat(1_000),
    ].map((name) =>
      asFirst(
        `CONNECT for ${JSON.stringify(name.slice(0, 20))} is refused`,
        4,
        head(name, 4),
        RULES.protocolName,
        null,
      ),
    ),
    asFirst(
      'CONNECT for a name that is not UTF-8 is refused',
      4,
      wire(0x10, Buffer.from('0004c0af5454040200000001', 'hex')),
      RULES.notUtf8,
      null,
    ),
    asFirst(
      'CONNECT for a name with U+0000 is refused',
      4,
      wire(0x10, Buffer.from('00044d510054040200000001', 'hex')),
      RULES.nullCharacter,
      null,
    ),
    asFirst(
      'CONNECT for a name longer than the packet is refused',
      4,
      wire(0x10, Buffer.from('ffff4d515454040200000001', 'hex')),
      RULES.cutString,
      null,
    ),
  ];
}

/** What properties of MQTT 5 mean to each other, and to what was agreed before. */
function properties(): Case[] {
  const alias = (value: number) => Buffer.concat([byte(0x23), uint16(value)]);
  const publish = (topic: string, list: Buffer) =>
    wire(0x30, Buffer.concat([lengthed(topic), list, Buffer.from(SECRET)]));
  const method = Buffer.concat([byte(0x15), lengthed('m')]);
  const data = Buffer.concat([byte(0x16), lengthed(SECRET)]);
  const shared = (filter: string) => wire(0x82, Buffer.concat([uint16(1), block(), lengthed(filter), byte(0x04)]));
  return [
    whenConnected('PUBLISH with topic alias 0 is refused', 5, publish('a', block(alias(0))), RULES.topicAlias0),
    ...[TOPIC_ALIAS_MAXIMUM + 1, 65_535].map((value) =>
      whenConnected(
        `PUBLISH with topic alias ${value} is refused`,
        5,
        publish('a', block(alias(value))),
        RULES.topicAliasTooHigh,
      ),
    ),
    whenConnected(
      'PUBLISH with a topic alias too high and no topic is refused',
      5,
      publish('', block(alias(999))),
      RULES.topicAliasTooHigh,
    ),
    whenConnected(
      'PUBLISH with a topic alias that stands for nothing is refused',
      5,
      publish('', block(alias(1))),
      RULES.topicAliasUnknown,
    ),
    asFirst(
      'CONNECT with Authentication Data alone is refused',
      5,
      withProperties(connect(5), 'connect', block(data)),
      RULES.authenticationDataAlone,
    ),
    asFirst(
      'CONNECT with an Authentication Method that there is not is refused',
      5,
      withProperties(connect(5), 'connect', block(method, data)),
      RULES.authenticationMethod,
    ),
    ...[0x18, 0x19].map((reason) =>
      whenConnected(
        `AUTH ${reason} of a client without a method is refused`,
        5,
        wire(0xf0, Buffer.concat([byte(reason), block(method)])),
        RULES.authUnasked,
      ),
    ),
    whenConnected(
      'AUTH without an Authentication Method is refused',
      5,
      wire(0xf0, Buffer.concat([byte(0x18), block(data)])),
      RULES.authWithoutMethod,
    ),
    ...[1, 0xffff_ffff].map((expiryS) =>
      whenConnected(
        `DISCONNECT with the Session Expiry Interval ${expiryS} where CONNECT had none is refused`,
        5,
        wire(0xe0, Buffer.concat([byte(0), block(Buffer.concat([byte(0x11), uint32(expiryS)]))])),
        RULES.expiryRaised,
      ),
    ),
    ...['$share/g/a', '$share/g/#', '$share/g', '$share//a'].map((filter) =>
      whenConnected(`SUBSCRIBE with No Local to ${filter} is refused`, 5, shared(filter), RULES.sharedNoLocal),
    ),
  ];
}

function clientIds(): Case[] {
  return [
    asFirst(
      'CONNECT without a client identifier and a clean session is refused',
      4,
      draftBytes(connect(4, 0x00, '')),
      RULES.emptyClientId,
    ),
    asFirst('CONNECT without a client identifier is refused', 3, draftBytes(connect(3, 0x02, '')), RULES.emptyClientId),
    asFirst(
      'CONNECT without a client identifier and a clean session is refused',
      3,
      draftBytes(connect(3, 0x00, '')),
      RULES.emptyClientId,
    ),
  ];
}
