import { byte, lengthed, uint16, uint32, wire } from './malformed-bytes.js';
import { asFirst, type Case, whenConnected } from './malformed-case.js';
import { connect, draftBytes, LEVELS, type Level, withProperties } from './malformed-drafts.js';
import { block, SECRET } from './malformed-properties.js';
import { RULES } from './malformed-standard.js';

/** Topic aliases that the server under test takes. */
export const TOPIC_ALIAS_MAXIMUM = 32;

/** What is well formed field by field, and wrong as a whole. What is a CONNECT's alone is in `malformed-connect.ts`. */
export function meaningCases(): Case[] {
  return [...LEVELS.flatMap((level) => [...topics(level), ...empties(level)]), ...properties()];
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
