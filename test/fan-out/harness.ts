import assert from 'node:assert/strict';
import type { ShardEffect } from '../../functions/fan-out/effects.js';
import { retainedRow } from '../../functions/fan-out/retained-row.js';
import { Shard } from '../../functions/fan-out/shard.js';
import { fromSnapshot, toSnapshot } from '../../functions/mqtt/snapshot.js';
import type { SessionCommand } from '../../functions/ports/session-commands.js';
import type { CheckpointRow, PresenceRow } from '../../functions/ports/store.js';
import { IN_FLIGHT } from '../../functions/session/places.js';
import { isAheadOfReplay } from '../../functions/session/replay.js';
import type { SessionState } from '../../functions/session/state.js';
import { publicationBytes } from '../../functions/topics/publication.js';
import { positionOf, readCommand, readPublication } from '../session/commands.js';
import { effectLine } from '../session/effect-line.js';
import { historyPage, readLimits, SESSION_LIMITS } from '../session/harness.js';
import { SessionStoreDouble } from '../session/store.js';
import type { Play } from '../support/transcript.js';
import { toNumber, type Words } from '../support/words.js';

/** Plays one shard: `<client> <command>` is told to that client's session, `publish` is handed out from the log. */
export function openShard(): Play {
  let now = 1_000;
  const limits = { ...SESSION_LIMITS };
  const store = new SessionStoreDouble();
  const presences = new Map<string, PresenceRow>();
  let checkpoints: CheckpointRow[] = [];
  let unsaved: CheckpointRow[] = [];
  let lines: string[] = [];
  let shard = newShard();

  function newShard(): Shard {
    return new Shard({ limits, checkpoints: fromSnapshot(toSnapshot(checkpoints)) }, obey);
  }

  function obey(session: SessionState, effect: ShardEffect): void {
    store.take(session, effect);
    lines.push(`${session.clientId}: ${effectLine(effect, session.connection?.level ?? 5)}`);
  }

  function tell(command: SessionCommand): void {
    notePresence(presences, command, now);
    shard.command(command, now);
  }

  function storeOne(): void {
    const { owner, effect, input } = store.write();
    if (effect.type === 'store-outbound' && effect.settles) shard.settleStored(effect.rows);
    shard.report(owner, input, now);
  }

  /** Another owner takes the shard: it has what the store has, and reads the log from the checkpoint. */
  function restart(): void {
    store.crash();
    shard = newShard();
    for (const row of presences.values()) {
      row.disconnectedAtMs ??= now;
      const replays = (store.sessions.get(row.clientId)?.subscriptions ?? []).flatMap(({ replay }) => replay ?? []);
      for (const ahead of store.outbound(row).filter((key) => isAheadOfReplay(key, replays))) store.remove(row, ahead);
      const rows = store.outbound(row);
      for (const each of rows) shard.know(row, each);
      const queued = rows.filter(({ source }) => source !== IN_FLIGHT);
      const bytes = queued.reduce((sum, { publication }) => sum + (publication ? publicationBytes(publication) : 0), 0);
      shard.load(
        {
          presence: { ...row, disconnectedAtMs: row.disconnectedAtMs },
          session: store.sessions.get(row.clientId) ?? null,
          inFlight: rows.filter(({ source }) => source === IN_FLIGHT),
          queued: { messages: queued.length, bytes, places: queued.filter((place) => !shard.hasPassed(place)) },
        },
        now,
      );
    }
    shard.tick(now);
  }

  function run(command: string, words: Words): void {
    switch (command) {
      case 'publish': {
        const place = { position: positionOf(toNumber(words.next())), partition: words.option('partition') ?? 'p' };
        const isReplay = words.flag('replay');
        const keepsRow = words.flag('row');
        const publication = readPublication(words, now);
        if (keepsRow) store.retained.push(retainedRow(place, publication));
        return shard.publish(place, publication, isReplay, now);
      }
      case 'inform':
        return shard.publishOwn({ ...readPublication(words, now), retain: true }, now);
      case 'skip':
        return shard.skip({ partition: 'p', position: positionOf(toNumber(words.next())) });
      case 'stored':
        storeOne();
        if (words.flag('all')) while (store.hasWrites) storeOne();
        return;
      case 'read': {
        const { owner, input } = store.read(words.number('page'));
        return shard.report(owner, input, now);
      }
      case 'history': {
        const clientId = words.next();
        const generation = presences.get(clientId)?.generation ?? 0;
        return shard.report({ clientId, generation }, historyPage(words, now), now);
      }
      case 'checkpoint':
        unsaved = shard.takeCheckpoints();
        lines.push(...unsaved.map((row) => `${row.partition} low=${row.low} done=[${row.done.join(', ')}]`));
        return;
      case 'checkpoint-saved':
        checkpoints = [
          ...checkpoints.filter((row) => !unsaved.some((saved) => saved.partition === row.partition)),
          ...unsaved,
        ];
        for (const row of shard.checkpointsSaved(unsaved)) {
          store.remove(row, row.key);
          lines.push(`${row.clientId}: let go of ${row.key.source}/${Number(row.key.position)}`);
        }
        return;
      case 'will-settled': {
        const clientId = words.next();
        return shard.willSettled(clientId, toNumber(words.next()), now);
      }
      case 'presence-released': {
        const clientId = words.next();
        const generation = presences.get(clientId)?.generation ?? 0;
        return shard.report({ clientId, generation }, { type: 'presence-released', released: true }, now);
      }
      case 'sessions':
        lines.push(String(shard.sessionCount));
        return;
      case 'subscriptions':
        lines.push(String(shard.subscriptionCount));
        return;
      case 'restart':
        return restart();
      case 'tick':
        now += words.duration();
        return shard.tick(now);
      default: {
        const connectionNumber = presences.get(command)?.connectionNumber ?? 0;
        const told = readCommand(words.next(), words, { clientId: command, connectionNumber }, now);
        tell(told ?? assert.fail(`no command is called ${command}`));
      }
    }
  }

  return (command, words) => {
    if (command === 'given') {
      readLimits(words, limits);
      return null;
    }
    if (command === 'pass') {
      now += words.duration();
      return null;
    }
    lines = [];
    run(command, words);
    return lines;
  };
}

/** The presence row as the edge would have it. */
function notePresence(presences: Map<string, PresenceRow>, command: SessionCommand, now: number): void {
  const { clientId, connectionNumber } = command;
  if (command.type === 'connected') {
    const { generation, sessionExpiryS, will, leftWills } = command;
    presences.set(clientId, {
      clientId,
      connectionNumber,
      generation,
      edge: 'edge',
      disconnectedAtMs: null,
      sessionExpiryS,
      will,
      leftWills: [...leftWills],
    });
  } else if (command.type === 'disconnected') {
    const row = presences.get(clientId);
    if (row?.connectionNumber !== connectionNumber) return;
    row.disconnectedAtMs = now;
    row.sessionExpiryS = command.sessionExpiryS;
    if (command.will === 'discard') row.will = null;
  }
}
