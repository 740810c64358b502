import type { Level } from '../../functions/mqtt/packets.js';
import { block, field, packetOf, type Vector } from './vector.js';

const METHOD = `15 ${field('m')}`;

/** PINGREQ, DISCONNECT, AUTH, and packets that have no business here. */
export const sessionVectors: readonly Vector[] = [
  ...([3, 4, 5] as const).flatMap((level): Vector[] => [
    { name: `PINGREQ at level ${level}`, level, bytes: 'c0 00', expected: { type: 'pingreq' } },
    { name: `DISCONNECT at level ${level}`, level, bytes: 'e0 00', expected: { type: 'disconnect', reasonCode: 0 } },
    ...refused(level, 0x81, 'section 2.1.4', { [`PINGREQ with a body at level ${level}`]: 'c0 01 00' }),
    ...refused(level, 0x82, 'section 2.1.2', {
      [`CONNACK from a client at level ${level}`]: '20 02 00 00',
      [`SUBACK from a client at level ${level}`]: '90 03 00 01 00',
      [`UNSUBACK from a client at level ${level}`]: 'b0 02 00 01',
      [`PINGRESP from a client at level ${level}`]: 'd0 00',
    }),
    ...refused(level, 0x81, 'section 2.1.2', { [`packet type 0 at level ${level}`]: '00 00' }),
  ]),
  { name: 'DISCONNECT 5 with a reason', level: 5, bytes: 'e0 01 04', expected: { type: 'disconnect', reasonCode: 4 } },
  {
    name: 'DISCONNECT 5, no properties',
    level: 5,
    bytes: 'e0 02 00 00',
    expected: { type: 'disconnect', reasonCode: 0 },
  },
  {
    name: 'DISCONNECT 5 with every property a client may send',
    level: 5,
    bytes: packetOf('e0', `98 ${block(`11 00 00 00 3c 1f ${field('bye')} 26 ${field('k')} ${field('v')}`)}`),
    expected: {
      type: 'disconnect',
      reasonCode: 0x98,
      properties: { sessionExpiryInterval: 60, reasonString: 'bye', userProperties: [['k', 'v']] },
    },
  },
  {
    name: 'AUTH to continue',
    level: 5,
    bytes: packetOf('f0', `18 ${block(`${METHOD} 16 00 02 01 00`)}`),
    expected: {
      type: 'auth',
      reasonCode: 0x18,
      properties: { authenticationMethod: 'm', authenticationData: Buffer.from([1, 0]) },
    },
  },
  {
    name: 'AUTH to begin again, with a Reason String',
    level: 5,
    bytes: packetOf('f0', `19 ${block(`${METHOD} 1f ${field('r')} 26 ${field('')} ${field('')}`)}`),
    expected: {
      type: 'auth',
      reasonCode: 0x19,
      properties: { authenticationMethod: 'm', reasonString: 'r', userProperties: [['', '']] },
    },
  },

  ...refused(4, 0x81, 'section 2.1.4', { 'DISCONNECT 3.1.1 with a reason': 'e0 01 00' }),
  ...refused(5, 0x81, 'section 2.1.4', { 'DISCONNECT with bytes after its properties': 'e0 03 00 00 00' }),
  ...refused(5, 0x82, 'MQTT-3.14.2-1', {
    'DISCONNECT with a reason only servers have': 'e0 01 8d',
    'DISCONNECT with a reason nobody has': 'e0 01 01',
  }),
  ...refused(5, 0x81, 'section 2.2.2.2', {
    'DISCONNECT with a Server Reference': packetOf('e0', `00 ${block(`1c ${field('s')}`)}`),
  }),
  ...refused(5, 0x82, 'section 3.14.2.2.3', {
    'DISCONNECT with two Reason Strings': packetOf('e0', `00 ${block('1f 00 00 1f 00 00')}`),
  }),
  ...refused(5, 0x81, 'MQTT-2.1.3-1', { 'DISCONNECT with flags': 'e1 00', 'AUTH with flags': 'f2 00' }),
  ...refused(4, 0x81, 'MQTT-2.1.3-1', { 'PINGREQ with flags': 'c8 00' }),
  ...refused(5, 0x82, 'MQTT-3.15.2-1', {
    'AUTH with the reason of a server': packetOf('f0', `00 ${block(METHOD)}`),
    'AUTH with a reason nobody has': packetOf('f0', `1a ${block(METHOD)}`),
  }),
  ...refused(5, 0x82, 'section 3.15.2.2.2', {
    'AUTH of no bytes': 'f0 00',
    'AUTH of a reason only': 'f0 01 18',
    'AUTH without a method': packetOf('f0', `18 ${block('16 00 00')}`),
    'AUTH with two methods': packetOf('f0', `18 ${block(`${METHOD} ${METHOD}`)}`),
  }),
  ...refused(4, 0x81, 'section 2.1.2', { 'AUTH at 3.1.1': 'f0 00' }),
  ...refused(3, 0x81, 'section 2.1.2', { 'AUTH at 3.1': 'f0 00' }),

  ...refused(null, 0x82, 'MQTT-3.1.0-1', {
    'PUBLISH before CONNECT': packetOf('30', field('t')),
    'PINGREQ before CONNECT': 'c0 00',
    'DISCONNECT before CONNECT': 'e0 00',
    'CONNACK before CONNECT': '20 02 00 00',
    'AUTH before CONNECT': packetOf('f0', `18 ${block(METHOD)}`),
  }),
  ...refused(4, 0x81, 'MQTT-1.5.5-1', {
    'a Remaining Length of two bytes where one would do': 'c0 80 00',
    'a Remaining Length of four bytes where three would do': 'c0 80 80 80 00',
    'a Remaining Length of five bytes': 'c0 80 80 80 80 01',
  }),
];

function refused(level: Level | null, reasonCode: number, clause: string, cases: Record<string, string>): Vector[] {
  return Object.entries(cases).map(([name, bytes]) => ({
    name: `${name} is refused`,
    level,
    bytes,
    expected: { reasonCode, clause },
  }));
}
