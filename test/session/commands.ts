import assert from 'node:assert/strict';
import type { Level } from '../../functions/mqtt/packets.js';
import type { SessionCommand } from '../../functions/ports/session-commands.js';
import type { WaitingWill } from '../../functions/ports/store.js';
import type { Publication } from '../../functions/topics/publication.js';
import { levelOf } from '../support/wire.js';
import { toNumber, type Words } from '../support/words.js';

/** Reads what an edge tells a session; null where the words say something else. `connectionNumber`: of the client's connection now. */
export function readCommand(
  command: string,
  words: Words,
  client: { clientId: string; connectionNumber: number },
  now: number,
): SessionCommand | null {
  const { clientId } = client;
  const connectionNumber = words.number('number') ?? client.connectionNumber;
  switch (command) {
    case 'connected': {
      const level: Level = levelOf(words) ?? 5;
      const left = words.option('left-will');
      const allowed = words.option('may-subscribe');
      return {
        type: 'connected',
        clientId,
        connectionNumber,
        generation: words.number('generation') ?? 1,
        level,
        receiveMaximum: words.number('receive-maximum') ?? 65_535,
        packetMaxBytes: words.number('packet-max') ?? null,
        wantsReasons: !words.flag('no-reasons'),
        topicAliasMaximum: words.number('alias-max') ?? 0,
        sessionExpiryS: words.number('expiry') ?? 0,
        will: readWill(words, clientId, connectionNumber, now),
        leftWills: left === undefined ? [] : [willOf(left, clientId, connectionNumber - 1, 0, now)],
        ...(allowed !== undefined && { maySubscribe: allowed.split(',') }),
      };
    }
    case 'subscribe': {
      const packetId = toNumber(words.next());
      const identifier = words.number('identifier') ?? null;
      const from = words.option('from') ?? null;
      const denied = words.option('denied')?.split(',');
      const subscriptions = words.split('+').map((asked) => {
        const options = {
          qos: (asked.numbered('qos') ?? 0) as 0 | 1 | 2,
          noLocal: asked.flag('no-local'),
          retainAsPublished: asked.flag('retain-as-published'),
          retainHandling: (asked.number('retain-handling') ?? 0) as 0 | 1 | 2,
        };
        return { filter: asked.next(), ...options };
      });
      return {
        type: 'subscribe',
        clientId,
        connectionNumber,
        packetId,
        subscriptions,
        identifier,
        from,
        ...(denied && { denied: subscriptions.map(({ filter }) => (denied.includes(filter) ? 0x87 : 0)) }),
      };
    }
    case 'unsubscribe': {
      const packetId = toNumber(words.next());
      const filters = words.split('+').map((asked) => asked.next());
      return { type: 'unsubscribe', clientId, connectionNumber, packetId, filters };
    }
    case 'puback':
    case 'pubrec':
    case 'pubcomp': {
      const reasonCode = words.number('reason') ?? 0;
      return {
        type: 'acknowledged',
        clientId,
        connectionNumber,
        answer: command,
        packetId: toNumber(words.next()),
        reasonCode,
      };
    }
    case 'disconnected': {
      const will = words.flag('discard') ? 'discard' : 'publish';
      const sessionExpiryS = words.number('expiry') ?? assert.fail('expiry?');
      return { type: 'disconnected', clientId, connectionNumber, atMs: now, sessionExpiryS, will };
    }
    default:
      return null;
  }
}

/** A position of the log: as text, sorts as its number. */
export function positionOf(number: number): string {
  return String(number).padStart(3, '0');
}

export function readPublication(words: Words, now: number): Publication {
  const qos = (words.numbered('qos') ?? 0) as 0 | 1 | 2;
  const expiry = words.number('expiry');
  return {
    qos,
    retain: words.flag('retain'),
    publisher: words.option('from') ?? '',
    publishedAtMs: now,
    ...(expiry !== undefined && { properties: { messageExpiryInterval: expiry } }),
    topic: words.next(),
    payload: Buffer.from(words.quoted() ?? ''),
  };
}

function readWill(words: Words, clientId: string, connectionNumber: number, now: number): WaitingWill | null {
  const delayS = words.number('will-delay') ?? 0;
  const topic = words.option('will');
  return topic === undefined ? null : willOf(topic, clientId, connectionNumber, delayS, now);
}

function willOf(topic: string, publisher: string, connectionNumber: number, delayS: number, now: number): WaitingWill {
  const publication = {
    topic,
    payload: Buffer.from('gone'),
    qos: 0,
    retain: false,
    publisher,
    publishedAtMs: now,
  } as const;
  return { connectionNumber, delayS, publication };
}
