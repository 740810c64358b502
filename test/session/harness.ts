import assert from 'node:assert/strict';
import type { Level } from '../../functions/mqtt/packets.js';
import { fromSnapshot, toSnapshot } from '../../functions/mqtt/snapshot.js';
import type { SessionInput } from '../../functions/session/inputs.js';
import { initialSession, isDurable, type SessionLimits, sessionDeadline } from '../../functions/session/state.js';
import { stepSession } from '../../functions/session/step.js';
import type { Play } from '../support/transcript.js';
import { toNumber, type Words } from '../support/words.js';
import { positionOf, readCommand, readPublication } from './commands.js';
import { effectLine } from './effect-line.js';
import { SessionStoreDouble } from './store.js';

export const SESSION_LIMITS: SessionLimits = {
  inFlightMax: 100,
  inFlightMaxBytes: 10_000,
  queueMaxMessages: 100,
  queueMaxBytes: 10_000,
  subscriptionsMax: 100,
  subscriptionsMaxBytes: 1_000,
  replaysMax: 2,
  topicAliasMaximum: 100,
  waitingMaxMessages: 100,
  waitingMaxBytes: 10_000,
  unsavedMaxMs: 10_000,
};

/** The limits that a transcript changes, by their names. */
export function readLimits(words: Words, limits: SessionLimits): void {
  for (const name of Object.keys(SESSION_LIMITS) as (keyof SessionLimits)[])
    limits[name] = words.number(name) ?? limits[name];
}

/** Plays the session of client `a`. Its state goes through a snapshot before every input. */
export function openSession(): Play {
  let now = 1_000;
  let state = initialSession({ clientId: 'a', generation: 1, limits: { ...SESSION_LIMITS } });
  let connectionNumber = 0;
  let level: Level = 5;
  const store = new SessionStoreDouble();

  const feed = (input: SessionInput): string[] => {
    state = fromSnapshot(toSnapshot(state));
    const effects = stepSession(state, fromSnapshot(toSnapshot(input)), now);
    for (const effect of effects) store.take(state, effect);
    return effects.map((effect) => effectLine(effect, level));
  };

  return (command, words) => {
    switch (command) {
      case 'given':
        readLimits(words, state.limits);
        state.nextPacketId = words.number('nextPacketId') ?? state.nextPacketId;
        return null;
      case 'retained': {
        const position = positionOf(words.numbered('#') ?? 0);
        store.retained.push({ partition: 'p', position, layout: 0, ...retainedRow(words, now) });
        return null;
      }
      case 'publish': {
        const position = positionOf(toNumber(words.next()));
        const publication = readPublication(words, now);
        const { qos, retain } = publication;
        // As the shard decides it, but where the words say otherwise.
        const held = qos > 0 && (words.flag('held') || (isDurable(state) && !words.flag('not-held')));
        const share = words.option('share');
        const shared = share !== undefined && { share };
        const delivery = { source: 'p', position, publication, qos, retain, held, ...shared };
        return feed({ type: 'published', delivery });
      }
      case 'stored': {
        const lines = feed(store.write(words.flag('newest') ? 'newest' : 'oldest').input);
        if (words.flag('all')) while (store.hasWrites) lines.push(...feed(store.write().input));
        return lines;
      }
      case 'read':
        return feed(store.read(words.number('page')).input);
      case 'history':
        return feed({ handedOut: positionOf(words.number('handed-out') ?? 0), ...historyPage(words, now) });
      case 'tick':
        now += words.duration();
        return feed({ type: 'ticked' });
      case 'pass':
        now += words.duration();
        return null;
      case 'presence-released':
        return feed({ type: 'presence-released', released: !words.flag('not') });
      case 'deadline': {
        const deadline = sessionDeadline(state);
        return [deadline === null ? 'none' : `in ${deadline - now}ms`];
      }
      default: {
        const handedOut = words.number('handed-out');
        const told =
          readCommand(command, words, { clientId: 'a', connectionNumber }, now) ??
          assert.fail(`no command is called ${command}`);
        if (told.type === 'connected') {
          connectionNumber = Math.max(connectionNumber, told.connectionNumber);
          level = told.level;
        }
        if (told.type === 'disconnected') return feed({ ...told, shared: words.option('shared')?.split(',') ?? [] });
        if (told.type !== 'subscribe') return feed(told);
        const read = { handedOut: handedOut === undefined ? {} : { p: positionOf(handedOut) } };
        return feed({ ...told, read: told.subscriptions.map(() => read) });
      }
    }
  };
}

/** `history <filter> #<sequence> up-to=<position> <position> <publication> + …` */
export function historyPage(words: Words, now: number) {
  const upTo = positionOf(words.number('up-to') ?? 0);
  const head = { filter: words.next(), sequence: words.numbered('#') ?? 1, partition: words.option('of') ?? 'p' };
  const publications = words.isEmpty
    ? []
    : words.split('+').map((part) => {
        const position = positionOf(toNumber(part.next()));
        return { position, publication: readPublication(part, now) };
      });
  return { type: 'history-read' as const, ...head, publications, upTo };
}

function retainedRow(words: Words, now: number) {
  const publication = { ...readPublication(words, now), retain: true };
  return { topic: publication.topic, publication };
}
