import assert from 'node:assert/strict';
import { generate, type Packet as LibraryPacket } from 'mqtt-packet';
import { encode } from '../../functions/mqtt/encode.js';
import type { Level, ServerPacket } from '../../functions/mqtt/packets.js';
import { libraryParse } from '../mqtt/library.js';
import { hex, kebab, line, unlessSuccess } from './lines.js';
import { toNumber, type Words } from './words.js';

/** What a stock client of that level sends, from the words of a transcript: `publish 7 a/b qos1 "hi" retain`. */
export function clientBytes(words: Words, level: Level, type = words.next()): Buffer {
  const packet = clientPacket(type, words, level);
  words.end();
  return generate(packet as unknown as LibraryPacket, { protocolVersion: level });
}

/** The level that a CONNECT speaks. */
export function levelOf(words: Words): Level | undefined {
  const level = words.oneOf('v3', 'v4', 'v5');
  return level === undefined ? undefined : (Number(level.slice(1)) as Level);
}

function clientPacket(cmd: string, words: Words, level: Level): object {
  switch (cmd) {
    case 'connect':
      return connect(words, level);
    case 'publish': {
      const qos = words.numbered('qos') ?? 0;
      const flags = { qos, retain: words.flag('retain'), dup: words.flag('dup') };
      const properties = {
        messageExpiryInterval: words.number('expiry'),
        topicAlias: words.number('alias'),
        contentType: words.option('content-type'),
      };
      const messageId = qos > 0 ? toNumber(words.next()) : undefined;
      return { cmd, ...flags, messageId, topic: words.next(), payload: words.quoted() ?? '', properties };
    }
    case 'puback':
    case 'pubrec':
    case 'pubrel':
    case 'pubcomp':
      return { cmd, messageId: toNumber(words.next()), reasonCode: words.number('reason') ?? 0 };
    case 'subscribe': {
      const subscriptionIdentifier = words.number('identifier');
      const messageId = toNumber(words.next());
      const qos = words.numbered('qos') ?? 0;
      const nl = words.flag('no-local');
      const subscriptions = [{ topic: words.next(), qos, ...(level === 5 && { nl, rap: false, rh: 0 }) }];
      return { cmd, messageId, subscriptions, properties: { subscriptionIdentifier } };
    }
    case 'unsubscribe':
      return { cmd, messageId: toNumber(words.next()), unsubscriptions: [words.next()] };
    case 'disconnect': {
      const properties = { sessionExpiryInterval: words.number('expiry') };
      return { cmd, reasonCode: words.number('reason') ?? 0, properties };
    }
    case 'auth':
      return { cmd, reasonCode: 0x18, properties: { authenticationMethod: words.option('method') } };
    case 'pingreq':
      return { cmd };
    default:
      return assert.fail(`no packet is called ${cmd}`);
  }
}

function connect(words: Words, level: Level): object {
  const topic = words.option('will');
  const will = topic !== undefined && {
    topic,
    payload: Buffer.from(words.option('will-payload') ?? 'gone'),
    qos: words.number('will-qos') ?? 0,
    retain: words.flag('will-retain'),
    properties: { willDelayInterval: words.number('will-delay') },
  };
  const properties = {
    sessionExpiryInterval: words.number('expiry'),
    receiveMaximum: words.number('receive-maximum'),
    maximumPacketSize: words.number('packet-max'),
    authenticationMethod: words.option('auth-method'),
    ...(words.flag('no-problem-information') && { requestProblemInformation: false }),
    ...(words.flag('response-information') && { requestResponseInformation: true }),
  };
  return {
    cmd: 'connect',
    protocolId: level === 3 ? 'MQIsdp' : 'MQTT',
    protocolVersion: level,
    clientId: words.option('id') ?? '',
    clean: words.flag('clean'),
    keepalive: words.number('keep-alive') ?? 0,
    username: words.option('user'),
    password: words.option('password'),
    ...(will && { will }),
    properties,
  };
}

/** A packet to a client as a stock client of that level reads it. */
export function serverLine(packet: ServerPacket, level: Level): string {
  const bytes = encode(packet, level);
  const reason = 'reasonCode' in packet ? hex(packet.reasonCode) : '';
  if (bytes === null) return line('cannot say', packet.type, reason);
  const read = libraryParse(Buffer.from(bytes), level);
  assert.ok(read, `mqtt-packet cannot read the ${packet.type} of level ${level}`);
  const properties = Object.entries(('properties' in read && read.properties) || {}).map(
    ([name, value]) => `${kebab(name)}=${value}`,
  );
  return line('send', read.cmd, ...details(read, level), ...properties);
}

function details(read: LibraryPacket, level: Level): string[] {
  switch (read.cmd) {
    case 'connack':
      return [
        level === 5 ? hex(read.reasonCode ?? 0) : `return-code=${read.returnCode}`,
        read.sessionPresent ? 'session-present' : '',
      ];
    case 'suback':
      return [String(read.messageId), ...(read.granted as number[]).map(hex)];
    case 'unsuback':
      return [String(read.messageId), ...((read as { granted?: number[] }).granted ?? []).map(hex)];
    case 'disconnect':
      return [hex(read.reasonCode ?? 0)];
    case 'pingresp':
      return [];
    default:
      return [String(read.messageId), unlessSuccess((read as { reasonCode?: number }).reasonCode ?? 0)];
  }
}
