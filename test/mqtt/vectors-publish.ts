import type { Acknowledgement, Level, Publish } from '../../functions/mqtt/packets.js';
import { block, bytesOf, field, packetOf, type Vector } from './vector.js';

const p: Publish = {
  type: 'publish',
  topic: 'a/b',
  payload: Buffer.from('hi'),
  qos: 0,
  retain: false,
  dup: false,
  packetId: 0,
};
const AB = field('a/b');
const FIRST_BYTES = { puback: '40', pubrec: '50', pubrel: '62', pubcomp: '70' } as const;
const REASON_CLAUSES = { puback: '3.4.2-1', pubrec: '3.5.2-1', pubrel: '3.6.2-1', pubcomp: '3.7.2-1' } as const;

export const publishVectors: readonly Vector[] = [
  { name: 'PUBLISH 3.1 QoS 0', level: 3, bytes: packetOf('30', `${AB} 'hi'`), expected: p },
  { name: 'PUBLISH 3.1.1 QoS 0 written out', level: 4, bytes: "30 07 00 03 'a/b' 'hi'", expected: p },
  { name: 'PUBLISH 5 QoS 0', level: 5, bytes: packetOf('30', `${AB} 00 'hi'`), expected: p },
  {
    name: 'PUBLISH 3.1 QoS 1 repeated',
    level: 3,
    bytes: packetOf('3a', `${AB} 00 07 'hi'`),
    expected: { ...p, qos: 1, dup: true, packetId: 7 },
  },
  {
    name: 'PUBLISH 3.1.1 QoS 2 retained',
    level: 4,
    bytes: packetOf('35', `${AB} ff ff 'hi'`),
    expected: { ...p, qos: 2, retain: true, packetId: 65535 },
  },
  {
    name: 'PUBLISH 5 QoS 1',
    level: 5,
    bytes: packetOf('32', `${AB} 01 02 00 'hi'`),
    expected: { ...p, qos: 1, packetId: 258 },
  },
  {
    name: 'PUBLISH 5 QoS 2 repeated and retained, without a payload',
    level: 5,
    bytes: packetOf('3d', `${AB} 00 01 00`),
    expected: { ...p, qos: 2, dup: true, retain: true, packetId: 1, payload: Buffer.alloc(0) },
  },
  {
    name: 'PUBLISH 5 with every property a client may send',
    level: 5,
    bytes: packetOf(
      '30',
      `${AB} ${block(`26 ${field('k')} ${field('1')} 01 01 02 00 00 00 00 23 00 09 08 ${field('r')} 09 00 02 00 ff 26 ${field('10')} ${field('')} 26 ${field('k')} ${field('2')} 03 ${field('é')}`)} 'hi'`,
    ),
    expected: {
      ...p,
      properties: {
        payloadFormatIndicator: 1,
        messageExpiryInterval: 0,
        topicAlias: 9,
        responseTopic: 'r',
        correlationData: Buffer.from([0, 255]),
        userProperties: [
          ['k', '1'],
          ['10', ''],
          ['k', '2'],
        ],
        contentType: 'é',
      },
    },
  },
  {
    name: 'PUBLISH 5 with an alias for its topic',
    level: 5,
    bytes: packetOf('30', "00 00 03 23 00 01 'hi'"),
    expected: { ...p, topic: '', properties: { topicAlias: 1 } },
  },
  {
    name: 'PUBLISH to a topic beyond ASCII that begins with U+FEFF',
    level: 4,
    bytes: packetOf('30', "00 0a ef bb bf f0 9f 9a a2 e2 82 ac 'hi'"),
    expected: { ...p, topic: '\ufeff🚢€' },
  },
  {
    name: 'PUBLISH of 200 bytes, two of them Remaining Length',
    level: 4,
    bytes: packetOf('30', `${AB} '${'x'.repeat(200)}'`),
    expected: { ...p, payload: Buffer.from('x'.repeat(200)) },
  },
  ...refused(4, 0x81, 'MQTT-3.3.1-4', { 'QoS 3': packetOf('36', `${AB} 00 01`) }),
  ...refused(5, 0x81, 'MQTT-3.3.1-4', { 'QoS 3 and every flag': packetOf('3f', `${AB} 00 01 00`) }),
  ...refused(4, 0x81, 'MQTT-3.3.1-2', { 'DUP at QoS 0': packetOf('38', AB) }),
  ...refused(5, 0x81, 'MQTT-3.3.1-2', { 'DUP at QoS 0 with RETAIN': packetOf('39', `${AB} 00`) }),
  ...refused(3, 0x82, 'MQTT-2.2.1-3', { 'Packet Identifier 0, 3.1': packetOf('32', `${AB} 00 00`) }),
  ...refused(5, 0x82, 'MQTT-2.2.1-3', { 'Packet Identifier 0, 5': packetOf('34', `${AB} 00 00 00`) }),
  ...refused(4, 0x90, 'MQTT-3.3.2-2', {
    '+ in its topic': packetOf('30', field('a/+')),
    '# in its topic': packetOf('30', field('#')),
    '# within a level of its topic': packetOf('30', field('a#b')),
  }),
  ...refused(5, 0x90, 'MQTT-3.3.2-2', { '+ in its topic, 5': packetOf('30', `${field('+')} 00`) }),
  ...refused(5, 0x82, 'section 3.3.2.1', { 'neither topic nor alias': packetOf('30', '00 00 00') }),
  ...refused(4, 0x81, 'MQTT-4.7.3-1', { 'no topic, 3.1.1': packetOf('30', '00 00') }),
  ...refused(4, 0x81, 'section 1.5.2', {
    'no bytes': '30 00',
    'no Packet Identifier': packetOf('32', AB),
    'half a Packet Identifier': packetOf('32', `${AB} 00`),
  }),
  ...refused(4, 0x81, 'section 1.5.4', { 'a topic longer than the packet': packetOf('30', "00 04 'a/b'") }),
  ...refused(5, 0x81, 'section 1.5.5', { 'no Property Length': packetOf('30', AB) }),
  ...refused(5, 0x81, 'section 2.2.2.1', { 'properties longer than the packet': packetOf('30', `${AB} 03 01 01`) }),
  ...refused(5, 0x81, 'MQTT-1.5.5-1', {
    'a Property Length of two bytes where one would do': packetOf('30', `${AB} 80 00`),
    'a Property Length of five bytes': packetOf('30', `${AB} ff ff ff ff 01`),
  }),
  ...refused(4, 0x81, 'MQTT-1.5.4-2', { 'U+0000 in its topic': packetOf('30', "00 03 'a' 00 'b'") }),
  ...refused(4, 0x81, 'MQTT-1.5.4-1', {
    'an overlong U+0000 in its topic': packetOf('30', '00 02 c0 80'),
    'an overlong slash in its topic': packetOf('30', '00 03 e0 80 af'),
    'a surrogate in its topic': packetOf('30', '00 03 ed a0 80'),
    'a code point beyond U+10FFFF in its topic': packetOf('30', '00 04 f4 90 80 80'),
    'a lone continuation byte in its topic': packetOf('30', '00 01 80'),
    'ff in its topic': packetOf('30', "00 02 'a' ff"),
  }),
  ...refused(4, 0x81, 'section 2.1.4', { 'fewer bytes than its Remaining Length': "30 08 00 03 'a/b' 'hi'" }),

  ...(['puback', 'pubrec', 'pubrel', 'pubcomp'] as const).flatMap(acknowledged),
  ...refused(4, 0x81, 'MQTT-2.1.3-1', {
    'PUBACK with flags': '42 02 00 01',
    'PUBREL without its flags': '60 02 00 01',
    'PUBREL with DUP': '6a 02 00 01',
  }),
  { name: 'PUBREL 3.1 repeated', level: 3, bytes: '6a 02 00 01', expected: ack('pubrel') },
];

function ack(type: Acknowledgement['type'], reasonCode = 0): Acknowledgement {
  return { type, packetId: 1, reasonCode };
}

function acknowledged(type: Acknowledgement['type']): Vector[] {
  const name = type.toUpperCase();
  const first = FIRST_BYTES[type];
  const failure = type === 'puback' || type === 'pubrec' ? 0x97 : 0x92;
  const code = failure.toString(16);
  const other = failure === 0x97 ? '92' : '97';
  const reasons = `1f ${field('no')} 26 ${field('b')} ${field('1')} 26 ${field('a')} ${field('2')}`;
  return [
    { name: `${name} 3.1`, level: 3, bytes: `${first} 02 00 01`, expected: ack(type) },
    { name: `${name} 3.1.1`, level: 4, bytes: `${first} 02 00 01`, expected: ack(type) },
    { name: `${name} 5 of two bytes`, level: 5, bytes: `${first} 02 00 01`, expected: ack(type) },
    { name: `${name} 5 of three bytes`, level: 5, bytes: `${first} 03 00 01 ${code}`, expected: ack(type, failure) },
    { name: `${name} 5 of four bytes`, level: 5, bytes: `${first} 04 00 01 00 00`, expected: ack(type) },
    {
      name: `${name} 5 with properties`,
      level: 5,
      bytes: packetOf(first, `00 01 ${code} ${block(reasons)}`),
      expected: {
        ...ack(type, failure),
        properties: {
          reasonString: 'no',
          userProperties: [
            ['b', '1'],
            ['a', '2'],
          ],
        },
      },
    },
    ...refused(5, 0x82, `MQTT-${REASON_CLAUSES[type]}`, {
      [`${name} with reason ${other}`]: `${first} 03 00 01 ${other}`,
    }),
    ...refused(4, 0x82, 'MQTT-2.2.1-3', { [`${name} with Packet Identifier 0`]: `${first} 02 00 00` }),
    ...refused(4, 0x81, 'section 1.5.2', { [`${name} of one byte`]: `${first} 01 00` }),
    ...refused(4, 0x81, 'section 2.1.4', { [`${name} 3.1.1 with a reason`]: `${first} 03 00 01 00` }),
    ...refused(5, 0x81, 'section 2.1.4', { [`${name} with bytes after its properties`]: `${first} 05 00 01 00 00 00` }),
    ...refused(5, 0x81, 'section 2.2.2.2', {
      [`${name} with a Content Type`]: packetOf(first, `00 01 00 ${block(`03 ${field('t')}`)}`),
    }),
  ];
}

function refused(level: Level, reasonCode: number, clause: string, cases: Readonly<Record<string, string>>): Vector[] {
  return Object.entries(cases).map(([name, bytes]) => {
    const type = bytesOf(bytes)[0]! >> 4;
    const title = type === 3 ? `PUBLISH with ${name}` : name;
    return { name: `${title} is refused`, level, bytes, expected: { reasonCode, clause } };
  });
}
