import { block, field, packetOf, type Vector } from './vector.js';

/** What the properties of PUBLISH, CONNECT and SUBSCRIBE may not be. */
export const propertyVectors: readonly Vector[] = [
  ...inPublish(0x81, 'section 2.2.2.2', {
    'property 0': '00 01',
    'property 4, which there is not': '04 01',
    'property 127, which there is not': '7f 01',
    'a two-byte property number': '80 01 01',
    'a Reason String': `1f ${field('r')}`,
    'a Receive Maximum': '21 00 01',
    'a Maximum QoS': '24 01',
  }),
  ...inPublish(0x82, 'MQTT-3.3.4-6', { 'a Subscription Identifier': '0b 01' }),
  ...inPublish(0x82, 'section 3.3.2.3.2', {
    'a Payload Format Indicator of 2': '01 02',
    'two Payload Format Indicators': '01 01 01 01',
  }),
  ...inPublish(0x82, 'section 3.3.2.3.3', { 'two Message Expiry Intervals': '02 00 00 00 00 02 00 00 00 00' }),
  ...inPublish(0x94, 'MQTT-3.3.2-8', { 'Topic Alias 0': '23 00 00' }),
  ...inPublish(0x82, 'section 3.3.2.3.4', { 'two Topic Aliases': '23 00 01 23 00 01' }),
  ...inPublish(0x82, 'MQTT-3.3.2-14', { 'a wildcard in its Response Topic': `08 ${field('r/+')}` }),
  ...inPublish(0x82, 'MQTT-4.7.3-1', { 'an empty Response Topic': '08 00 00' }),
  ...inPublish(0x82, 'section 3.3.2.3.5', { 'two Response Topics': `08 ${field('r')} 08 ${field('r')}` }),
  ...inPublish(0x82, 'section 3.3.2.3.6', { 'two empty Correlation Data': '09 00 00 09 00 00' }),
  ...inPublish(0x82, 'section 3.3.2.3.9', { 'two empty Content Types': '03 00 00 03 00 00' }),
  ...inPublish(0x81, 'section 1.5.1', { 'a Payload Format Indicator of no bytes': '01' }),
  ...inPublish(0x81, 'section 1.5.2', { 'a Topic Alias of one byte': '23 00' }),
  ...inPublish(0x81, 'section 1.5.3', { 'a Message Expiry Interval of three bytes': '02 00 00 00' }),
  ...inPublish(0x81, 'section 1.5.4', {
    'a Content Type that reaches beyond the properties': "03 00 04 'abc'",
    'a user property whose value is cut': `26 ${field('k')} 00 02 'v'`,
  }),
  ...inPublish(0x81, 'section 1.5.2', { 'a user property without a value': `26 ${field('k')}` }),
  ...inPublish(0x81, 'section 1.5.6', { 'Correlation Data that reaches beyond the properties': '09 00 02 ff' }),
  ...inPublish(0x81, 'MQTT-1.5.4-1', { 'a user property that is not UTF-8': `26 ${field('k')} 00 01 ff` }),
  ...inPublish(0x81, 'MQTT-1.5.4-2', { 'U+0000 in a Content Type': '03 00 01 00' }),

  ...inConnect('section 3.1.2.11.2', { 'two Session Expiry Intervals': '11 00 00 00 00 11 00 00 00 00' }),
  ...inConnect('section 3.1.2.11.3', { 'Receive Maximum 0': '21 00 00', 'two Receive Maximums': '21 00 01 21 00 01' }),
  ...inConnect('section 3.1.2.11.4', { 'Maximum Packet Size 0': '27 00 00 00 00' }),
  ...inConnect('section 3.1.2.11.5', { 'two Topic Alias Maximums of 0': '22 00 00 22 00 00' }),
  ...inConnect('section 3.1.2.11.6', { 'Request Response Information 2': '19 02' }),
  ...inConnect('section 3.1.2.11.7', { 'Request Problem Information 2': '17 02', 'it twice': '17 00 17 00' }),
  ...inConnect('section 3.1.2.11.9', { 'two Authentication Methods': `15 ${field('m')} 15 ${field('m')}` }),
  ...inWill('section 3.1.3.2.2', { 'two Will Delay Intervals': '18 00 00 00 01 18 00 00 00 01' }),
  ...inWill('section 3.1.3.2.3', { 'Payload Format Indicator 2': '01 02' }),
  ...inWill('MQTT-3.3.2-14', { 'a wildcard in its Response Topic': `08 ${field('#')}` }),

  ...inSubscribe('section 3.8.2.1.2', { 'Subscription Identifier 0': '0b 00', 'two of them': '0b 01 0b 02' }),
  ...inSubscribe('MQTT-1.5.5-1', { 'Subscription Identifier 1 of two bytes': '0b 81 00' }, 0x81),
  ...inSubscribe('section 1.5.5', { 'a Subscription Identifier that is cut': '0b 81' }, 0x81),
];

function inPublish(reasonCode: number, clause: string, cases: Readonly<Record<string, string>>): Vector[] {
  return Object.entries(cases).map(([name, properties]) => ({
    name: `PUBLISH with ${name} is refused`,
    level: 5,
    bytes: packetOf('30', `${field('t')} ${block(properties)} 'payload'`),
    expected: { reasonCode, clause },
  }));
}

function inConnect(clause: string, cases: Readonly<Record<string, string>>): Vector[] {
  return Object.entries(cases).map(([name, properties]) => ({
    name: `CONNECT with ${name} is refused (${clause})`,
    level: null,
    bytes: packetOf('10', `${field('MQTT')} 05 02 00 00 ${block(properties)} ${field('c')}`),
    expected: { reasonCode: 0x82, clause, answer: 5 },
  }));
}

function inWill(clause: string, cases: Readonly<Record<string, string>>): Vector[] {
  return Object.entries(cases).map(([name, properties]) => ({
    name: `A will with ${name} is refused`,
    level: null,
    bytes: packetOf('10', `${field('MQTT')} 05 06 00 00 00 ${field('c')} ${block(properties)} ${field('w')} 00 00`),
    expected: { reasonCode: 0x82, clause, answer: 5 },
  }));
}

function inSubscribe(clause: string, cases: Readonly<Record<string, string>>, reasonCode = 0x82): Vector[] {
  return Object.entries(cases).map(([name, properties]) => ({
    name: `SUBSCRIBE with ${name} is refused (${clause})`,
    level: 5,
    bytes: packetOf('82', `00 01 ${block(properties)} ${field('f')} 00`),
    expected: { reasonCode, clause },
  }));
}
