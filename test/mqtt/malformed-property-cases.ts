import { byte, lengthed, uint16, varint } from './malformed-bytes.js';
import { type Case, spoiled } from './malformed-case.js';
import { draftsOf, withProperties } from './malformed-drafts.js';
import { ILL_FORMED, WITH_NULL } from './malformed-fields.js';
import {
  block,
  CLIENT_CARRIERS,
  type ClientCarrier,
  STANDARD_PROPERTIES,
  type StandardProperty,
  sectionIn,
  wellFormed,
} from './malformed-properties.js';
import { RULES, type Verdict } from './malformed-standard.js';

/** Every property in every packet of a client, misplaced, repeated, cut, out of range or not UTF-8 (MQTT 5.0 section 2.2.2). */
export function propertyCases(): Case[] {
  const drafts = draftsOf(5);
  return CLIENT_CARRIERS.flatMap((carrier) => {
    const type = carrier === 'will' ? 'connect' : carrier;
    const draft = drafts.find((one) => one.type === type)!;
    const put: Put = (name, properties, verdict) =>
      spoiled(
        `with ${name}${carrier === 'will' ? ' in its will' : ''} is refused`,
        draft,
        withProperties(draft, carrier, properties),
        verdict,
      );
    return [
      ...unknown(put),
      ...STANDARD_PROPERTIES.flatMap((property) => {
        const section = sectionIn(property.fromClient, carrier);
        if (section === undefined) return misplaced(property, carrier, put);
        return [
          ...repeated(property, section, put),
          ...cut(property, put),
          ...outOfRange(property, section, put),
          ...illFormed(property, put),
        ];
      }),
    ];
  });
}

type Put = (name: string, properties: Buffer, verdict: Verdict) => Case;

/** Table 2-4 has gaps, and ends at 42. */
function unknown(put: Put): Case[] {
  const known = new Set(STANDARD_PROPERTIES.map(({ id }) => id));
  const free = Array.from({ length: 128 }, (_, id) => id).filter((id) => !known.has(id));
  return [
    ...free.map((id) => put(`property ${id}, which there is not`, block(Buffer.of(id, 0)), RULES.misplacedProperty)),
    put('property 128, which there is not', block(Buffer.concat([varint(128), byte(0)])), RULES.misplacedProperty),
    put('property 268,435,455', block(varint(268_435_455)), RULES.misplacedProperty),
    put('a property number in two bytes of which one is enough', block(Buffer.of(0xa6, 0)), RULES.notShortest),
    put('a property number of five bytes', block(Buffer.from('a680808000', 'hex')), RULES.lengthForm),
    put('a property number that is cut', block(byte(0xa6)), RULES.cutVarint),
  ];
}

function misplaced(property: StandardProperty, carrier: ClientCarrier, put: Put): Case[] {
  const isIdentifier = property.name === 'subscriptionIdentifiers' && carrier === 'publish';
  const verdict = isIdentifier ? RULES.subscriptionIdentifierInPublish : RULES.misplacedProperty;
  return [put(property.name, block(wellFormed(property)), verdict)];
}

function repeated(property: StandardProperty, section: string, put: Put): Case[] {
  if (property.many === 'both') return [];
  const once = wellFormed(property);
  const verdict = { reason: 0x82, clause: `section ${section}` };
  return [put(`${property.name} twice`, block(once, once), verdict)];
}

/** The Property Length ends after every byte of it. */
function cut(property: StandardProperty, put: Put): Case[] {
  const whole = wellFormed(property);
  return Array.from({ length: whole.length - 1 }, (_, at) =>
    put(
      `${property.name} cut after ${at + 1} bytes`,
      block(whole.subarray(0, at + 1)),
      verdictOnCut(property, whole, at),
    ),
  );
}

/** `left`: bytes of the value. */
function verdictOnCut({ type }: StandardProperty, whole: Buffer, left: number): Verdict {
  switch (type) {
    case 'byte':
      return RULES.cutByte;
    case 'uint16':
      return RULES.cutUint16;
    case 'uint32':
      return RULES.cutUint32;
    case 'varint':
      return RULES.cutVarint;
    case 'string':
      return left < 2 ? RULES.cutUint16 : RULES.cutString;
    case 'binary':
      return left < 2 ? RULES.cutUint16 : RULES.cutBinary;
    case 'pair': {
      const keyBytes = 2 + whole.readUInt16BE(1);
      return (left < keyBytes ? left : left - keyBytes) < 2 ? RULES.cutUint16 : RULES.cutString;
    }
  }
}

function outOfRange(property: StandardProperty, section: string, put: Put): Case[] {
  const verdict = property.name === 'topicAlias' ? RULES.topicAlias0 : { reason: 0x82, clause: `section ${section}` };
  return [
    ...(property.forbidden ?? []).map((value) =>
      put(`${property.name} ${value}`, block(wellFormed(property, value)), verdict),
    ),
    ...(property.type === 'varint'
      ? [
          put(
            `${property.name} in more bytes than it needs`,
            block(Buffer.of(property.id, 0x81, 0)),
            RULES.notShortest,
          ),
          put(`${property.name} of five bytes`, block(Buffer.of(property.id, 255, 255, 255, 255, 1)), RULES.lengthForm),
        ]
      : []),
    ...(property.name === 'responseTopic'
      ? [
          ...['#', 'a/#', '+', 'a/+/b', 'a+', '#/a'].map((topic) =>
            put(`the response topic ${topic}`, text(property, topic), RULES.responseTopicWildcard),
          ),
          put('an empty response topic', text(property, ''), RULES.responseTopicEmpty),
        ]
      : []),
    ...(property.type === 'binary'
      ? [
          put(
            `${property.name} longer than the packet`,
            block(Buffer.concat([byte(property.id), uint16(0xffff)])),
            RULES.cutBinary,
          ),
        ]
      : []),
  ];
}

function illFormed(property: StandardProperty, put: Put): Case[] {
  const faults = [
    ...ILL_FORMED.map(([fault, hex]) => [fault, Buffer.from(hex, 'hex'), RULES.notUtf8] as const),
    ...WITH_NULL.map(
      (content) => [`U+0000 in ${JSON.stringify(content)}`, Buffer.from(content), RULES.nullCharacter] as const,
    ),
  ];
  const { id, name } = property;
  if (property.type === 'string')
    return faults.map(([fault, bytes, rule]) => put(`${fault} in ${name}`, text(property, bytes), rule));
  if (property.type !== 'pair') return [];
  return faults.flatMap(([fault, bytes, rule]) => [
    put(`${fault} in a key`, block(Buffer.concat([byte(id), lengthed(bytes), lengthed('v')])), rule),
    put(`${fault} in a value`, block(Buffer.concat([byte(id), lengthed('k'), lengthed(bytes)])), rule),
  ]);
}

function text({ id }: StandardProperty, content: string | Buffer): Buffer {
  return block(Buffer.concat([byte(id), lengthed(content)]));
}
