import { byte, hexOf, varint, wire } from './malformed-bytes.js';
import { asFirst, type Case, whenConnected } from './malformed-case.js';
import { connect, type Draft, draftBytes, draftsOf, LEVELS, type Level } from './malformed-drafts.js';
import { octets } from './malformed-fields.js';
import { RULES, type Verdict } from './malformed-standard.js';

/** Larger than any other case, so that only those that mean to are too large. */
export const PACKET_MAX_BYTES = 2_000;

/** Most break several of these at once. */
const NOT_FIRST = [RULES.firstIsNotConnect, RULES.reservedFlags, RULES.reservedType, RULES.qos3, RULES.dupAtQos0];

/** Every first byte, at every level, as the first packet and after CONNACK; and every bad Remaining Length. */
export function headerCases(): Case[] {
  return LEVELS.flatMap((level) => [
    ...octets((first) => verdictOn(first, level) !== null).map((first) =>
      whenConnected(
        `a packet that begins with ${hexOf(byte(first))} is refused`,
        level,
        filled(first, level),
        ...verdictOn(first, level)!,
      ),
    ),
    ...octets((first) => first !== 0x10).flatMap((first) => [
      asFirst(
        `a first packet that begins with ${hexOf(byte(first))} is refused`,
        level,
        filled(first, level),
        NOT_FIRST,
        null,
      ),
      asFirst(
        `a first packet is refused for its first byte ${hexOf(byte(first))} alone`,
        level,
        byte(first),
        NOT_FIRST,
        null,
      ),
    ]),
    ...lengths(level),
  ]);
}

/** What a client that was accepted may not begin a packet with (tables 2-1 and 2-2). */
function verdictOn(first: number, level: Level): Verdict[] | null {
  const [type, flags] = [first >> 4, first & 15];
  if (type === 0) return [RULES.reservedType];
  if (type === 15 && level < 5) return flags === 0 ? [RULES.reservedType] : [RULES.reservedType, RULES.reservedFlags];
  if (type === 3) {
    if ((flags & 6) === 6) return [RULES.qos3];
    return (flags & 14) === 8 ? [RULES.dupAtQos0] : null;
  }
  const isRequest = [6, 8, 10].includes(type);
  // MQTT 3.1 sends these with QoS 1, and marks a repeated one by DUP.
  const isFlagged = flags !== (isRequest ? 2 : 0) && !(isRequest && level === 3 && flags === 10);
  if (isFlagged) return [RULES.reservedFlags];
  if (type === 1) return [RULES.secondConnect];
  if ([2, 9, 11, 13].includes(type)) return [RULES.serverPacket];
  return type === 15 ? [RULES.authUnasked] : null;
}

/** A packet whose body is right for its type, where a client has one. */
function filled(first: number, level: Level): Buffer {
  const draft = draftsOf(level).find((one) => one.first >> 4 === first >> 4);
  return draft === undefined ? wire(first, Buffer.of(0, 1, 0)) : draftBytes({ ...draft, first });
}

function lengths(level: Level): Case[] {
  const starts = draftsOf(level).filter(({ type }) => type !== 'connect');
  const five = ['ffffffff01', 'ffffff8000', '8080808000', 'ffffffffff'];
  return [
    ...starts.flatMap((draft) =>
      five.map((hex) =>
        whenConnected(
          `${nameOf(draft)} with the Remaining Length ${hex} is refused`,
          level,
          headed(draft, Buffer.from(hex, 'hex')),
          RULES.lengthForm,
        ),
      ),
    ),
    ...five.map((hex) =>
      asFirst(
        `CONNECT with the Remaining Length ${hex} is refused`,
        level,
        headed(connect(level), Buffer.from(hex, 'hex')),
        RULES.lengthForm,
        null,
      ),
    ),
    ...['8000', '808000', '80808000'].map((hex) =>
      whenConnected(
        `PINGREQ with the Remaining Length ${hex} is refused`,
        level,
        Buffer.from(`c0${hex}`, 'hex'),
        RULES.notShortest,
      ),
    ),
    // Only the header is sent: the answer may not wait for the rest.
    ...starts.flatMap((draft) =>
      [PACKET_MAX_BYTES - 2, 100_000, 268_435_455].map((length) =>
        whenConnected(
          `${nameOf(draft)} of ${length} bytes and its header is refused before the rest`,
          level,
          Buffer.concat([byte(draft.first), varint(length)]),
          RULES.packetTooLarge,
        ),
      ),
    ),
    ...[PACKET_MAX_BYTES - 2, 268_435_455].map((length) =>
      asFirst(
        `CONNECT of ${length} bytes and its header is refused before the rest`,
        level,
        Buffer.concat([byte(0x10), varint(length)]),
        RULES.packetTooLarge,
        null,
      ),
    ),
  ];
}

function headed(draft: Draft, length: Buffer): Buffer {
  return Buffer.concat([byte(draft.first), length, Buffer.concat(draft.parts.map(({ bytes }) => bytes))]);
}

function nameOf({ type }: Draft): string {
  return type.toUpperCase();
}
