import type { Level, SubscriptionRequest } from '../../functions/mqtt/packets.js';
import { block, field, packetOf, type Vector } from './vector.js';

const plain: Omit<SubscriptionRequest, 'filter' | 'qos'> = {
  noLocal: false,
  retainAsPublished: false,
  retainHandling: 0,
};
const F = field('a/#');

/** SUBSCRIBE and UNSUBSCRIBE. */
export const requestVectors: readonly Vector[] = [
  subscribe('3.1', 3, packetOf('82', `00 01 ${F} 01`), [{ filter: 'a/#', qos: 1, ...plain }]),
  subscribe('3.1 repeated', 3, packetOf('8a', `00 01 ${F} 02`), [{ filter: 'a/#', qos: 2, ...plain }]),
  subscribe('3.1.1 written out', 4, "82 0e 00 01 00 03 'a/#' 00 00 03 '+/b' 02", [
    { filter: 'a/#', qos: 0, ...plain },
    { filter: '+/b', qos: 2, ...plain },
  ]),
  subscribe('5', 5, packetOf('82', `00 01 00 ${F} 00`), [{ filter: 'a/#', qos: 0, ...plain }]),
  subscribe('5 with every option', 5, packetOf('82', `00 01 00 ${F} 2e`), [
    { filter: 'a/#', qos: 2, noLocal: true, retainAsPublished: true, retainHandling: 2 },
  ]),
  subscribe('5 with a shared subscription', 5, packetOf('82', `00 01 00 ${field('$share/g/a')} 19`), [
    { filter: '$share/g/a', qos: 1, noLocal: false, retainAsPublished: true, retainHandling: 1 },
  ]),
  subscribe(
    '5 with No Local on a filter that only looks shared',
    5,
    packetOf('82', `00 01 00 ${field('$shared/a')} 04`),
    [{ filter: '$shared/a', qos: 0, ...plain, noLocal: true }],
  ),
  subscribe(
    'with a filter that only the session can refuse',
    4,
    packetOf('82', `00 01 ${field('a#/+b')} 00 00 00 00`),
    [
      { filter: 'a#/+b', qos: 0, ...plain },
      { filter: '', qos: 0, ...plain },
    ],
  ),
  {
    name: 'SUBSCRIBE 5 with the greatest Subscription Identifier and user properties',
    level: 5,
    bytes: packetOf(
      '82',
      `00 01 ${block(`26 ${field('b')} ${field('1')} 26 ${field('a')} ${field('2')} 0b ff ff ff 7f`)} ${F} 00`,
    ),
    expected: {
      type: 'subscribe',
      packetId: 1,
      subscriptions: [{ filter: 'a/#', qos: 0, ...plain }],
      properties: {
        userProperties: [
          ['b', '1'],
          ['a', '2'],
        ],
        subscriptionIdentifiers: [268_435_455],
      },
    },
  },
  unsubscribe('3.1', 3, packetOf('a2', `00 01 ${F}`), ['a/#']),
  unsubscribe('3.1 repeated', 3, packetOf('aa', `00 01 ${F}`), ['a/#']),
  unsubscribe('3.1.1', 4, packetOf('a2', `00 01 ${F} ${field('b')}`), ['a/#', 'b']),
  unsubscribe('5', 5, packetOf('a2', `00 01 00 ${F}`), ['a/#']),
  {
    name: 'UNSUBSCRIBE 5 with a user property',
    level: 5,
    bytes: packetOf('a2', `00 01 ${block(`26 ${field('k')} ${field('v')}`)} ${F}`),
    expected: { type: 'unsubscribe', packetId: 1, filters: ['a/#'], properties: { userProperties: [['k', 'v']] } },
  },

  ...refused(4, 0x82, 'MQTT-3.8.3-2', { 'SUBSCRIBE without a filter, 3.1.1': '82 02 00 01' }),
  ...refused(5, 0x82, 'MQTT-3.8.3-2', { 'SUBSCRIBE without a filter, 5': '82 03 00 01 00' }),
  ...refused(4, 0x82, 'MQTT-3.10.3-2', { 'UNSUBSCRIBE without a filter, 3.1.1': 'a2 02 00 01' }),
  ...refused(5, 0x82, 'MQTT-3.10.3-2', { 'UNSUBSCRIBE without a filter, 5': 'a2 03 00 01 00' }),
  ...refused(4, 0x82, 'MQTT-2.2.1-3', {
    'SUBSCRIBE with Packet Identifier 0': packetOf('82', `00 00 ${F} 00`),
    'UNSUBSCRIBE with Packet Identifier 0': packetOf('a2', `00 00 ${F}`),
  }),
  ...refused(4, 0x81, 'MQTT-2.1.3-1', {
    'SUBSCRIBE without its flags': packetOf('80', `00 01 ${F} 00`),
    'SUBSCRIBE 3.1.1 with DUP': packetOf('8a', `00 01 ${F} 00`),
    'UNSUBSCRIBE without its flags': packetOf('a0', `00 01 ${F}`),
  }),
  ...refused(5, 0x81, 'MQTT-3.8.3-5', {
    'SUBSCRIBE with option bit 6': packetOf('82', `00 01 00 ${F} 40`),
    'SUBSCRIBE with option bit 7': packetOf('82', `00 01 00 ${F} 80`),
  }),
  ...refused(4, 0x81, 'MQTT-3.8.3-5', { 'SUBSCRIBE 3.1.1 with No Local': packetOf('82', `00 01 ${F} 04`) }),
  ...refused(5, 0x82, 'section 3.8.3.1', {
    'SUBSCRIBE with QoS 3': packetOf('82', `00 01 00 ${F} 03`),
    'SUBSCRIBE with Retain Handling 3': packetOf('82', `00 01 00 ${F} 30`),
  }),
  ...refused(3, 0x82, 'section 3.8.3.1', { 'SUBSCRIBE 3.1 with QoS 3': packetOf('82', `00 01 ${F} 03`) }),
  ...refused(5, 0x82, 'MQTT-3.8.3-4', {
    'No Local on a shared subscription': packetOf('82', `00 01 00 ${F} 04 ${field('$share/g/a')} 04`),
  }),
  ...refused(4, 0x81, 'section 1.5.1', { 'SUBSCRIBE with a filter and no options': packetOf('82', `00 01 ${F}`) }),
  ...refused(4, 0x81, 'section 1.5.2', {
    'SUBSCRIBE of no bytes': '82 00',
    'SUBSCRIBE with half a length of its second filter': packetOf('82', `00 01 ${F} 00 00`),
    'UNSUBSCRIBE of one byte': 'a2 01 00',
  }),
  ...refused(4, 0x81, 'section 1.5.4', {
    'SUBSCRIBE with a filter longer than the packet': packetOf('82', "00 01 00 09 'a/b' 00"),
    'UNSUBSCRIBE with a filter longer than the packet': packetOf('a2', "00 01 00 04 'a/b'"),
  }),
  ...refused(5, 0x81, 'section 1.5.5', { 'SUBSCRIBE without a Property Length': '82 02 00 01' }),
  ...refused(4, 0x81, 'MQTT-1.5.4-2', { 'SUBSCRIBE with U+0000': packetOf('82', '00 01 00 01 00 00') }),
  ...refused(4, 0x81, 'MQTT-1.5.4-1', { 'UNSUBSCRIBE with a surrogate': packetOf('a2', '00 01 00 03 ed bf bf') }),
  ...refused(5, 0x81, 'section 2.2.2.2', {
    'SUBSCRIBE with a Reason String': packetOf('82', `00 01 ${block(`1f ${field('r')}`)} ${F} 00`),
    'UNSUBSCRIBE with a Subscription Identifier': packetOf('a2', `00 01 ${block('0b 01')} ${F}`),
  }),
];

function subscribe(title: string, level: Level, bytes: string, subscriptions: SubscriptionRequest[]): Vector {
  return { name: `SUBSCRIBE ${title}`, level, bytes, expected: { type: 'subscribe', packetId: 1, subscriptions } };
}

function unsubscribe(title: string, level: Level, bytes: string, filters: string[]): Vector {
  return { name: `UNSUBSCRIBE ${title}`, level, bytes, expected: { type: 'unsubscribe', packetId: 1, filters } };
}

function refused(level: Level, reasonCode: number, clause: string, cases: Readonly<Record<string, string>>): Vector[] {
  return Object.entries(cases).map(([name, bytes]) => ({
    name: `${name} is refused`,
    level,
    bytes,
    expected: { reasonCode, clause },
  }));
}
