import { byte, join, lengthed, type Part, uint16, varint, wire } from './malformed-bytes.js';
import { type Case, spoiled } from './malformed-case.js';
import { type Draft, draftsOf, LEVELS, replaced } from './malformed-drafts.js';
import { CLIENT_REASONS, cutOff, RULES, type Verdict } from './malformed-standard.js';

/** Every field of every packet of every level, spoiled in every way that its type can be. */
export function fieldCases(): Case[] {
  return LEVELS.flatMap(draftsOf).flatMap((draft) => [
    longLength(draft),
    ...truncated(draft),
    ...continued(draft),
    ...draft.parts.flatMap((part, at) => spoiledPart(draft, part, at)),
  ]);
}

function longLength(draft: Draft): Case {
  const bytes = wire(draft.first, join(draft.parts), 1);
  const one = spoiled('with a Remaining Length of a byte too many is refused', draft, bytes, RULES.notShortest);
  return one.when === 'first' ? { ...one, answerIn: null } : one;
}

/** Of CONNECT's parts. */
const LEVEL_AT = 1;

/** Cut after every byte, with a Remaining Length that says so. */
function truncated(draft: Draft): Case[] {
  const cases: Case[] = [];
  let start = 0;
  for (const [at, part] of draft.parts.entries()) {
    for (let left = 0; left < part.bytes.length; left += 1) {
      const verdict = verdictOnCut(draft, at, left);
      if (verdict === null) continue;
      const bytes = wire(draft.first, join(draft.parts).subarray(0, start + left));
      const name = `cut ${left} bytes into its ${part.name} at ${start + left} is refused`;
      const one = spoiled(name, draft, bytes, verdict);
      // Before the protocol level is read, nobody knows in which to answer.
      cases.push(draft.type === 'connect' && at <= LEVEL_AT ? { ...one, answerIn: null } : one);
    }
    start += part.bytes.length;
  }
  return cases;
}

/** null: what is left is a packet. */
export function verdictOnCut({ type, level, parts }: Draft, at: number, left: number): Verdict | null {
  const part = parts[at]!;
  if (part.kind === 'payload') return null;
  if (left > 0) return cutOff(part, left);
  // Where all behind the packet identifier may be left out (sections 3.4.2.1, 3.14.2.1, 3.15.2.1).
  if (part.kind === 'reason' || (part.kind === 'properties' && parts[at - 1]?.kind === 'reason')) {
    return type === 'auth' ? RULES.authWithoutMethod : null;
  }
  if (part.kind === 'filter') {
    if (parts[at - 1]?.kind === 'options' || parts[at - 1]?.kind === 'filter') return null;
    return type === 'subscribe' ? RULES.emptySubscribe : RULES.emptyUnsubscribe;
  }
  // MQTT 3.1 tells a server to look at the Remaining Length before it looks for credentials (section 3.1 there).
  if (level === 3 && (part.name === 'username' || part.name === 'password')) return null;
  return cutOff(part, 0);
}

/** Goes on after its last field. */
function continued(draft: Draft): Case[] {
  const last = draft.parts.at(-1)?.kind;
  if (last === 'payload') return [];
  const verdict = last === 'options' || last === 'filter' ? RULES.cutUint16 : RULES.remainingBytes;
  const name = 'with a byte behind its last field is refused';
  return [spoiled(name, draft, wire(draft.first, Buffer.concat([join(draft.parts), byte(0)])), verdict)];
}

function spoiledPart(draft: Draft, part: Part, at: number): Case[] {
  const put = (name: string, bytes: Buffer, ...verdicts: Verdict[]): Case =>
    spoiled(`with ${name} is refused`, draft, replaced(draft, at, bytes), ...verdicts);
  const behind = join(draft.parts).length - draft.parts.slice(0, at).reduce((sum, { bytes }) => sum + bytes.length, 0);
  switch (part.kind) {
    case 'packetId':
      return [put('packet identifier 0', uint16(0), RULES.packetId0)];
    case 'string':
    case 'filter': {
      // What the Protocol Name says is judged with the protocol, see `malformed-connect.ts`.
      if (part.name === 'protocolName') return [];
      const content = part.bytes.subarray(2);
      return [
        ...shortened(draft, part, at, put),
        put(`a ${part.name} one byte longer than the packet`, lengthed(content, behind - 1), RULES.cutString),
        put(`a ${part.name} of 65,535 bytes that are not there`, lengthed(content, 0xffff), RULES.cutString),
        ...ILL_FORMED.map(([what, hex]) =>
          put(`${what} in its ${part.name}`, lengthed(Buffer.from(hex, 'hex')), RULES.notUtf8),
        ),
        ...WITH_NULL.map((text) =>
          put(`U+0000 in its ${part.name}, ${JSON.stringify(text)}`, lengthed(text), RULES.nullCharacter),
        ),
      ];
    }
    case 'binary':
      return [
        ...shortened(draft, part, at, put),
        put(
          `a ${part.name} one byte longer than the packet`,
          lengthed(part.bytes.subarray(2), behind - 1),
          RULES.cutBinary,
        ),
        put(
          `a ${part.name} of 65,535 bytes that are not there`,
          lengthed(part.bytes.subarray(2), 0xffff),
          RULES.cutBinary,
        ),
      ];
    case 'properties': {
      const content = part.bytes.subarray(lengthBytesOf(part));
      const tooLong = behind - lengthBytesOf(part) + 1;
      return [
        put(
          `${part.name} one byte longer than the packet`,
          Buffer.concat([varint(tooLong), content]),
          RULES.cutProperties,
        ),
        put(
          `a length of its ${part.name} that is not the shortest`,
          Buffer.concat([varint(content.length, 1), content]),
          RULES.notShortest,
        ),
        put(
          `a length of its ${part.name} of five bytes`,
          Buffer.concat([Buffer.from('ffffffff01', 'hex'), content]),
          RULES.lengthForm,
        ),
      ];
    }
    case 'reason':
      return reasons(draft, put);
    case 'options':
      return draft.level === 5 ? options5(part, put) : options(part, put);
    case 'byte':
    case 'uint16':
    case 'connectFlags':
    case 'payload':
      return [];
  }
}

/** A length one too small: what is left over is no field. Elsewhere than at the end it may happen to be one. */
function shortened({ parts }: Draft, { name, kind, bytes }: Part, at: number, put: Put): Case[] {
  if (at < parts.length - 1) return [];
  const verdict = kind === 'filter' ? RULES.cutUint16 : RULES.remainingBytes;
  return [put(`a length of its ${name} one too small`, lengthed(bytes.subarray(2), bytes.length - 3), verdict)];
}

type Put = (name: string, bytes: Buffer, ...verdicts: Verdict[]) => Case;

function reasons({ type }: Draft, put: Put): Case[] {
  const carrier = type as keyof typeof CLIENT_REASONS;
  const allowed: readonly number[] = CLIENT_REASONS[carrier];
  return octets((value) => !allowed.includes(value)).map((value) =>
    put(`reason code ${value}`, byte(value), RULES[`${carrier}Reason`]),
  );
}

function options5({ name }: Part, put: Put): Case[] {
  return octets((value) => (value & 0xc0) !== 0 || (value & 3) === 3 || (value & 0x30) === 0x30).map((value) =>
    put(
      `${value} as its ${name}`,
      byte(value),
      ...(value & 0xc0 ? [RULES.optionsReserved] : []),
      ...((value & 3) === 3 || (value & 0x30) === 0x30 ? [RULES.optionsValue] : []),
    ),
  );
}

/** Before MQTT 5 the byte is the QoS alone. */
function options({ name }: Part, put: Put): Case[] {
  return octets((value) => value > 2).map((value) =>
    put(
      `${value} as its ${name}`,
      byte(value),
      ...(value & 0xfc ? [RULES.optionsReserved] : []),
      ...((value & 3) === 3 ? [RULES.optionsValue] : []),
    ),
  );
}

export function octets(isOne: (value: number) => boolean): number[] {
  return Array.from({ length: 256 }, (_, value) => value).filter(isOne);
}

/** Bytes that are not UTF-8 (RFC 3629), each with its fault. */
export const ILL_FORMED: readonly (readonly [fault: string, hex: string])[] = [
  ['U+0000 in two bytes', 'c080'],
  ['U+007F in two bytes', 'c1bf'],
  ['/ in two bytes', '61c0af62'],
  ['U+0000 in three bytes', 'e08080'],
  ['U+07FF in three bytes', 'e09fbf'],
  ['U+0000 in four bytes', 'f0808080'],
  ['U+FFFF in four bytes', 'f08fbfbf'],
  ['the first surrogate', 'eda080'],
  ['the last surrogate', 'edbfbf'],
  ['a pair of surrogates', 'eda0bdedb880'],
  ['U+110000', 'f4908080'],
  ['a lead byte above U+10FFFF', 'f5808080'],
  ['a character of five bytes', 'f888808080'],
  ['a character of six bytes', 'fc8480808080'],
  ['byte FE', 'fe'],
  ['byte FF', '61ff62'],
  ['a continuation byte alone', '80'],
  ['a continuation byte too many', 'c3a4a4'],
  ['half a character of two bytes', 'c3'],
  ['two thirds of a character', 'e282'],
  ['three quarters of a character', 'f09f98'],
  ['a character broken off by another', 'e28261'],
];

export const WITH_NULL = ['\0', 'a\0b', 'ab\0'];

function lengthBytesOf({ bytes }: Part): number {
  return bytes.findIndex((octet) => octet < 0x80) + 1;
}
