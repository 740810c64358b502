import type { Connect } from '../../functions/mqtt/packets.js';
import { block, field, packetOf, type Vector } from './vector.js';

const MQTT = field('MQTT');
const MQISDP = field('MQIsdp');

/** CONNECT of MQTT 5 with these flags, properties and payload; Keep Alive 60. */
function connect5(flags: string, properties: string, payload: string): string {
  return packetOf('10', `${MQTT} 05 ${flags} 00 3c ${block(properties)} ${payload}`);
}

function connect4(flags: string, payload: string): string {
  return packetOf('10', `${MQTT} 04 ${flags} 00 3c ${payload}`);
}

function connect3(flags: string, payload: string): string {
  return packetOf('10', `${MQISDP} 03 ${flags} 00 3c ${payload}`);
}

const c: Pick<Connect, 'type' | 'clientId' | 'cleanStart' | 'keepAlive'> = {
  type: 'connect',
  clientId: 'c',
  cleanStart: true,
  keepAlive: 60,
};
const ID = field('c');

export const connectVectors: readonly Vector[] = [
  { name: 'CONNECT 3.1', level: null, bytes: connect3('02', ID), expected: { ...c, level: 3 } },
  { name: 'CONNECT 3.1.1', level: null, bytes: connect4('02', ID), expected: { ...c, level: 4 } },
  { name: 'CONNECT 5', level: null, bytes: connect5('02', '', ID), expected: { ...c, level: 5 } },
  {
    name: 'CONNECT written out byte by byte',
    level: null,
    bytes: "10 0d 00 04 'MQTT' 04 00 ff ff 00 01 'x'",
    expected: { type: 'connect', level: 4, clientId: 'x', cleanStart: false, keepAlive: 65535 },
  },
  {
    name: 'CONNECT without a client identifier',
    level: null,
    bytes: connect5('02', '', '00 00'),
    expected: { ...c, level: 5, clientId: '' },
  },
  {
    name: 'CONNECT a second time is refused',
    level: 5,
    bytes: connect5('02', '', ID),
    expected: { reasonCode: 0x82, clause: 'MQTT-3.1.0-2' },
  },
  {
    name: 'CONNECT a second time, of a level that there is not, is refused as the second',
    level: 5,
    bytes: packetOf('10', `${MQTT} 06 02 00 3c 00 ${ID}`),
    expected: { reasonCode: 0x82, clause: 'MQTT-3.1.0-2' },
  },
  {
    name: 'CONNECT 3.1 with will, user name and password',
    level: null,
    bytes: connect3('ee', `${ID} ${field('w')} ${field('gone')} ${field('u')} ${field('p')}`),
    expected: {
      ...c,
      level: 3,
      will: { topic: 'w', payload: Buffer.from('gone'), qos: 1, retain: true },
      username: 'u',
      password: Buffer.from('p'),
    },
  },
  {
    name: 'CONNECT 3.1 without the user name and password that its flags announce',
    level: null,
    bytes: connect3('c2', ID),
    expected: { ...c, level: 3 },
  },
  {
    name: 'CONNECT 3.1 with a user name and without the announced password',
    level: null,
    bytes: connect3('c2', `${ID} ${field('u')}`),
    expected: { ...c, level: 3, username: 'u' },
  },
  {
    name: 'CONNECT 3.1.1 with an empty user name, password and will payload',
    level: null,
    bytes: connect4('c6', `${ID} ${field('w')} 00 00 00 00 00 00`),
    expected: {
      ...c,
      level: 4,
      will: { topic: 'w', payload: Buffer.alloc(0), qos: 0, retain: false },
      username: '',
      password: Buffer.alloc(0),
    },
  },
  {
    name: 'CONNECT 5 with a password and no user name',
    level: null,
    bytes: connect5('42', '', `${ID} 00 02 ff 00`),
    expected: { ...c, level: 5, password: Buffer.from([0xff, 0]) },
  },
  {
    name: 'CONNECT 5 with every property',
    level: null,
    bytes: connect5(
      '02',
      `11 00 00 00 0a 21 00 01 27 00 00 01 00 22 ff ff 19 01 17 00 26 ${field('b')} ${field('1')} 26 ${field('a')} ${field('2')} 26 ${field('b')} ${field('3')} 15 ${field('m')} 16 00 01 07`,
      ID,
    ),
    expected: {
      ...c,
      level: 5,
      properties: {
        sessionExpiryInterval: 10,
        receiveMaximum: 1,
        maximumPacketSize: 256,
        topicAliasMaximum: 65535,
        requestResponseInformation: 1,
        requestProblemInformation: 0,
        userProperties: [
          ['b', '1'],
          ['a', '2'],
          ['b', '3'],
        ],
        authenticationMethod: 'm',
        authenticationData: Buffer.from([7]),
      },
    },
  },
  {
    name: 'CONNECT 5 with every Will Property',
    level: null,
    bytes: connect5(
      '36',
      '',
      `${ID} ${block(`18 00 00 00 05 01 01 02 ff ff ff ff 03 ${field('t')} 08 ${field('r')} 09 00 01 00 26 ${field('__proto__')} ${field('')}`)} ${field('w')} ${field('p')}`,
    ),
    expected: {
      ...c,
      level: 5,
      will: {
        topic: 'w',
        payload: Buffer.from('p'),
        qos: 2,
        retain: true,
        properties: {
          willDelayInterval: 5,
          payloadFormatIndicator: 1,
          messageExpiryInterval: 0xffffffff,
          contentType: 't',
          responseTopic: 'r',
          correlationData: Buffer.from([0]),
          userProperties: [['__proto__', '']],
        },
      },
    },
  },

  ...refusals(0x84, 'MQTT-3.1.2-1', null, {
    'an unknown Protocol Name': packetOf('10', `${field('MQTX')} 04 02 00 3c ${ID}`),
    'an empty Protocol Name': packetOf('10', `00 00 04 02 00 3c ${ID}`),
    'a Protocol Name that objects have': packetOf('10', `${field('toString')} 04 02 00 3c ${ID}`),
  }),
  ...refusals(0x84, 'MQTT-3.1.2-2', 5, {
    'protocol level 6': packetOf('10', `${MQTT} 06 02 00 3c 00 ${ID}`),
    'protocol level 5 with the bridge bit': packetOf('10', `${MQTT} 85 02 00 3c 00 ${ID}`),
  }),
  ...refusals(0x84, 'MQTT-3.1.2-2', 4, {
    'MQTT and level 3': packetOf('10', `${MQTT} 03 02 00 3c ${ID}`),
    'MQTT and level 0': packetOf('10', `${MQTT} 00 02 00 3c ${ID}`),
    'protocol level 4 with the bridge bit': packetOf('10', `${MQTT} 84 02 00 3c ${ID}`),
  }),
  ...refusals(0x84, 'MQTT-3.1.2-2', 3, {
    'MQIsdp and level 4': packetOf('10', `${MQISDP} 04 02 00 3c ${ID}`),
    'MQIsdp with the bridge bit': packetOf('10', `${MQISDP} 83 02 00 3c ${ID}`),
  }),
  ...refusals(0x81, 'section 1.5.2', null, { 'no bytes': '10 00', 'one byte': '10 01 00' }),
  ...refusals(0x81, 'section 1.5.4', null, { 'a Protocol Name longer than the packet': "10 06 00 05 'MQTT'" }),
  ...refusals(0x81, 'section 1.5.1', null, { 'nothing after the Protocol Name': "10 06 00 04 'MQTT'" }),
  ...refusals(0x81, 'section 1.5.1', 4, { 'nothing after the level': "10 07 00 04 'MQTT' 04" }),
  ...refusals(0x81, 'section 1.5.2', 4, {
    'half a Keep Alive': "10 09 00 04 'MQTT' 04 02 00",
    'no client identifier': "10 0a 00 04 'MQTT' 04 02 00 3c",
    'no will topic': connect4('06', ID),
    'no will payload': connect4('06', `${ID} ${field('w')}`),
    'no user name': connect4('82', ID),
    'no password': connect4('c2', `${ID} ${field('u')}`),
  }),
  ...refusals(0x81, 'section 1.5.2', 3, { 'a user name cut within its length': connect3('82', `${ID} 00`) }),
  ...refusals(0x81, 'section 1.5.4', 5, {
    'a client identifier longer than the packet': connect5('02', '', "00 05 'abcd'"),
  }),
  ...refusals(0x81, 'section 1.5.6', 5, {
    'a will payload longer than the packet': connect5('06', '', `${ID} 00 ${field('w')} 00 05 'abcd'`),
    'a password longer than the packet': connect5('42', '', `${ID} ff ff`),
  }),
  ...refusals(0x81, 'section 1.5.5', 5, { 'no Property Length': "10 0a 00 04 'MQTT' 05 02 00 3c" }),
  ...refusals(0x81, 'section 2.2.2.1', 5, {
    'properties longer than the packet': packetOf('10', `${MQTT} 05 02 00 3c 09 ${ID}`),
  }),
  ...refusals(0x81, 'MQTT-3.1.2-3', 4, { 'the reserved connect flag': connect4('03', ID) }),
  ...refusals(0x81, 'MQTT-3.1.2-11', 5, { 'Will QoS without a will': connect5('0a', '', ID) }),
  ...refusals(0x81, 'MQTT-3.1.2-12', 4, { 'Will QoS 3': connect4('1e', `${ID} ${field('w')} 00 00`) }),
  ...refusals(0x81, 'MQTT-3.1.2-13', 4, { 'Will Retain without a will': connect4('22', ID) }),
  ...refusals(0x81, 'MQTT-3.1.2-22', 4, {
    'a password without a user name, 3.1.1': connect4('42', `${ID} ${field('p')}`),
  }),
  ...refusals(0x81, 'MQTT-3.1.2-22', 3, {
    'a password without a user name, 3.1': connect3('42', `${ID} ${field('p')}`),
  }),
  ...refusals(0x90, 'MQTT-3.3.2-2', 5, {
    'a wildcard in the will topic': connect5('06', '', `${ID} 00 ${field('w/#')} 00 00`),
  }),
  ...refusals(0x82, 'MQTT-4.7.3-1', 5, { 'an empty will topic, 5': connect5('06', '', `${ID} 00 00 00 00 00`) }),
  ...refusals(0x81, 'MQTT-4.7.3-1', 4, { 'an empty will topic, 3.1.1': connect4('06', `${ID} 00 00 00 00`) }),
  ...refusals(0x81, 'MQTT-1.5.4-2', 4, { 'U+0000 in the client identifier': connect4('02', "00 03 'a' 00 'b'") }),
  ...refusals(0x81, 'MQTT-1.5.4-1', 4, {
    'half a character in the user name': connect4('82', `${ID} 00 01 c3`),
    'half a character in the will topic': connect4('06', `${ID} 00 02 e2 82 00 00`),
  }),
  ...refusals(0x81, 'section 2.1.4', 4, { 'bytes after the payload, 3.1.1': connect4('02', `${ID} 00`) }),
  ...refusals(0x81, 'section 2.1.4', 5, { 'bytes after the payload, 5': connect5('02', '', `${ID} ${field('u')}`) }),
  ...refusals(0x82, 'section 3.1.2.11.10', 5, {
    'Authentication Data without an Authentication Method': connect5('02', '16 00 01 07', ID),
  }),
  ...refusals(0x81, 'section 2.2.2.2', 5, {
    'a Topic Alias in CONNECT': connect5('02', '23 00 01', ID),
    'Session Expiry Interval in a will': connect5('06', '', `${ID} ${block('11 00 00 00 01')} ${field('w')} 00 00`),
    'Will Delay Interval outside the will': connect5('02', '18 00 00 00 01', ID),
  }),
  ...refusals(0x81, 'MQTT-2.1.3-1', 4, { 'flags in the first byte': packetOf('11', `${MQTT} 04 02 00 3c ${ID}`) }),
];

function refusals(
  reasonCode: number,
  clause: string,
  answer: 3 | 4 | 5 | null,
  cases: Readonly<Record<string, string>>,
): Vector[] {
  return Object.entries(cases).map(([name, bytes]) => ({
    name: `CONNECT with ${name} is refused`,
    level: null,
    bytes,
    expected: { reasonCode, clause, answer },
  }));
}
