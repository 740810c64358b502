import { byte, lengthed, wire } from './malformed-bytes.js';
import { asFirst, type Case, whenConnected } from './malformed-case.js';
import { CLIENT_ID, connect, draftBytes, LEVELS, type Level, plainConnect } from './malformed-drafts.js';
import { octets } from './malformed-fields.js';
import { RULES, type Verdict } from './malformed-standard.js';

/** Protocol, flags and client identifier of a CONNECT; and a second one. */
export function connectCases(): Case[] {
  return [...LEVELS.flatMap((level) => [...flags(level), ...again(level)]), ...protocols(), ...clientIds()];
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
