import type { Report, ShardEffect } from '../fan-out/effects.js';
import { Shard } from '../fan-out/shard.js';
import { encode } from '../mqtt/encode.js';
import type { ServerPacket } from '../mqtt/packets.js';
import type { EdgeChannel } from '../ports/channels.js';
import type { Clock } from '../ports/clock.js';
import { portErrorCode } from '../ports/errors.js';
import type { CheckpointRow, RetainedRow, Store } from '../ports/store.js';
import type { Telemetry } from '../ports/telemetry.js';
import type { PublishToClient } from '../session/effects.js';
import type { SessionLimits, SessionName, SessionState } from '../session/state.js';
import type { Routes } from '../topics/routes.js';
import { isAboutFullNames } from '../topics/spellings.js';
import { EndedSessions } from './ended-sessions.js';
import type { History } from './history.js';
import type { Presence } from './presence.js';
import { PublishEncoder } from './publish-encoder.js';
import type { Publisher } from './publisher.js';
import { Seldom } from './seldom.js';
import { SessionWrites } from './session-writes.js';
import { handedBack } from './stored-shares.js';
import { StoringBudget } from './storing-budget.js';
import type { Sure } from './sure.js';
import { publishWill } from './will.js';
import { Works } from './works.js';

export interface ShardDriverParts {
  clock: Clock;
  telemetry: Telemetry;
  store: Store;
  presence: Presence;
  publisher: Publisher;
  edge: EdgeChannel;
  history: History;
  routes: Routes;
  /** Left out: nobody else can have the shard. */
  sure?: Sure;
  /** Told when nothing more can be handed out: whoever runs the worker starts another. */
  failed?: (error: unknown) => void;
}

/** A loss is counted each time and logged at most this often. */
const SAID_EVERY_MS = 60_000;

/** Obeys one shard's effects and reports to it what became of them. */
export class ShardDriver {
  readonly shard: Shard;
  readonly #parts: ShardDriverParts;
  readonly #owned: { shard: number; epoch: number };
  readonly #encoder = new PublishEncoder();
  readonly #seldom: Seldom;
  readonly #storing = new StoringBudget();
  readonly #works: Works;
  readonly #writes = new SessionWrites();
  readonly #ended: EndedSessions;
  /** Checkpoints that were taken and are not known to be saved. */
  #unsaved: readonly CheckpointRow[] = [];
  /** Those of them that write retained rows. */
  readonly #retaining = new Set<Promise<void>>();

  constructor(
    parts: ShardDriverParts,
    options: { shard: number; epoch: number; limits: SessionLimits; checkpoints: readonly CheckpointRow[] },
  ) {
    this.#parts = parts;
    this.#works = new Works(parts);
    this.#seldom = new Seldom(parts.clock, SAID_EVERY_MS);
    this.#owned = { shard: options.shard, epoch: options.epoch };
    this.shard = new Shard(options, (session, effect) => this.#obey(session, effect));
    this.#ended = new EndedSessions({
      ...parts,
      shard: this.shard,
      epoch: options.epoch,
      works: this.#works,
    });
  }

  /** Whether handing out has to wait for the store. */
  get isStoringMuch(): boolean {
    return this.#storing.isMuch;
  }

  /** Resolves when the store has kept up. */
  stored(): Promise<void> {
    return this.#storing.room();
  }

  /** Resolves when no effect is under way. */
  settled(): Promise<void> {
    return this.#works.settled();
  }

  /** Writes the checkpoints that have moved, lets go of rows that were kept only until then, and resolves with what it wrote. */
  async saveCheckpoints(): Promise<readonly CheckpointRow[]> {
    const { store, telemetry } = this.#parts;
    const newest = new Map([...this.#unsaved, ...this.shard.takeCheckpoints()].map((row) => [row.partition, row]));
    const rows = [...newest.values()];
    if (rows.length === 0) {
      this.#checkpointsSaved(rows);
      return [];
    }
    this.#unsaved = rows;
    await Promise.all(this.#retaining);
    try {
      await store.shards.saveCheckpoints(this.#owned.shard, this.#owned.epoch, rows).catch(this.#ifLost);
    } catch (error) {
      // The next one says as much and more; until then a crash would replay from an older place.
      telemetry.log('warn', 'checkpoint-failed', { error: String(error) });
      return [];
    }
    this.#unsaved = [];
    this.#checkpointsSaved(rows);
    return rows;
  }

  /** Whoever has claimed the shard has its sessions: what is done here from now on is nobody's. */
  readonly #ifLost = (error: unknown): never => {
    if (portErrorCode(error) === 'conflict') this.#parts.failed?.(error);
    throw error;
  };

  #checkpointsSaved(rows: readonly CheckpointRow[]): void {
    const { outbound } = this.#parts.store;
    for (const { clientId, generation, key } of this.shard.checkpointsSaved(rows, this.#ended.isHandingOn)) {
      this.#works.begin('remove-done', () => outbound.remove(clientId, generation, [key]));
    }
    this.#ended.checkpointsSaved();
  }

  /** Removes what a session that is not here any more has left in the store. */
  clear(ended: SessionName): void {
    this.#ended.clear(ended);
  }

  /** Sees to it that a retained publication has its rows: the checkpoint does not pass it before. */
  retain(rows: readonly RetainedRow[]): void {
    const { retained } = this.#parts.store;
    const work = this.#works.begin(
      'retain',
      async () => void (await Promise.all(rows.map((row) => retained.put(row)))),
    );
    this.#retaining.add(work);
    void work.then(() => this.#retaining.delete(work));
  }

  #obey(session: SessionState, effect: ShardEffect): void {
    const { store, history, edge, routes } = this.#parts;
    const { clientId, generation, connection } = session;
    // A write that is repeated once the session has ended would come after what removed its rows, and be nobody's.
    const isOver = () => session.mode === 'ended';
    switch (effect.type) {
      case 'send-publish':
        if (connection === null) return;
        this.#parts.telemetry.count('publications-sent');
        return this.#deliver(
          session,
          this.#encoder.encode(effect.publish, connection.level),
          isDroppable(effect.publish),
        );
      case 'send':
        return this.#answer(session, effect.packet);
      case 'save-session':
        return this.#then(session, effect.type, async () => {
          const row = { ...effect.row, epoch: this.#owned.epoch };
          if (!isOver()) await store.sessions.put(row).catch(this.#ifLost);
          return { type: 'session-saved' };
        });
      case 'store-outbound':
        return this.#write(session, effect.type, () => this.#storeOutbound(session, effect));
      case 'remove-outbound':
        return this.#write(session, effect.type, async () => {
          await store.outbound.remove(clientId, generation, effect.keys);
          return { type: 'outbound-removed' };
        });
      case 'finish-outbound':
        return this.#write(session, effect.type, async () => {
          const { row, passed } = effect;
          if (passed) await store.outbound.remove(clientId, generation, [row]);
          else if (!isOver()) await store.outbound.put(clientId, generation, [row]);
          return { type: 'outbound-finished', packetId: row.packetId };
        });
      case 'read-outbound':
        return this.#then(session, effect.type, async () => {
          const rows = await store.outbound.read(clientId, generation, effect.after, effect.limit);
          // One page a turn: a long queue must not keep the event loop from other clients.
          await new Promise((resume) => setImmediate(resume));
          return { type: 'outbound-read', rows, end: rows.length < effect.limit };
        });
      case 'read-retained':
        return this.#then(session, effect.type, async () => {
          const { filter, sequence, after } = effect.due;
          const { rows, next } = await store.retained.match(filter, after, effect.limit);
          await new Promise((resume) => setImmediate(resume));
          const named = isAboutFullNames(filter) ? rows : rows.filter(({ topic }) => !routes.isSecondName(topic));
          return { type: 'retained-read', sequence, filter, rows: named, next };
        });
      case 'read-history':
        return this.#then(session, effect.type, async () => {
          const { filter, sequence, partition, from, limit } = effect;
          // QoS 0 has no window: the socket is asked instead.
          if (connection !== null) await edge.drained(clientId, connection.number);
          const page = await history.page(filter, partition, from, limit);
          // One page a turn, as above.
          await new Promise((resume) => setImmediate(resume));
          return { type: 'history-read', filter, sequence, partition, ...page };
        });
      case 'publish-will':
        return this.#publishWill(clientId, effect);
      case 'end-session':
        if (effect.stored) this.#ended.clear(session, this.#writes.written(session));
        else if (!effect.replaced) this.#ended.tidy(clientId);
        return;
      case 'release-presence':
        return this.#then(session, effect.type, async () => {
          return { type: 'presence-released', released: await this.#parts.presence.release(clientId, generation) };
        });
      case 'count':
        return this.#count(effect.name, effect.by, clientId);
    }
  }

  /** Counted, and said now and then: what is dropped for a client is its operator's business. */
  #count(name: string, by: number, clientId: string): void {
    const { telemetry } = this.#parts;
    telemetry.count(name, by);
    if (this.#seldom.may(name)) telemetry.log('warn', name, { client: clientId });
  }

  /** An answer that is larger than the client takes is not sent [MQTT-3.1.2-24]. */
  #answer(session: SessionState, packet: ServerPacket): void {
    const { connection } = session;
    if (connection === null) return;
    const bytes = encode(packet, connection.level);
    const { packetMaxBytes } = connection;
    if (bytes !== null && packetMaxBytes !== null && bytes.length > packetMaxBytes) {
      return this.#count('answers-dropped-too-large', 1, session.clientId);
    }
    this.#deliver(session, bytes, false);
  }

  #deliver(session: SessionState, bytes: Uint8Array | null, droppable: boolean): void {
    if (session.connection === null || bytes === null) return;
    this.#parts.edge.deliver(session.clientId, session.connection.number, bytes, droppable);
  }

  async #storeOutbound(
    session: SessionState,
    { rows, settles }: Extract<ShardEffect, { type: 'store-outbound' }>,
  ): Promise<Report> {
    const { clientId, generation } = session;
    if (session.mode === 'ended') {
      // Not while the shard steps.
      await null;
      const publications = rows.flatMap((row) => handedBack(row) ?? []).map((each) => ({ ...each, held: settles }));
      if (settles) this.shard.settleStored(rows.filter((row) => handedBack(row) === null));
      this.shard.handBack(session, publications, this.#parts.clock.now());
    } else {
      const bytes = this.#storing.begin(rows);
      const put = this.#parts.store.outbound.put(clientId, generation, rows);
      await put.finally(() => this.#storing.end(bytes));
      await this.#parts.sure?.();
      if (settles) this.shard.settleStored(rows);
    }
    return { type: 'outbound-stored', rows };
  }

  #write(session: SessionState, what: string, run: () => Promise<Report>): void {
    this.#writes.add(session, this.#reporting(session, what, run));
  }

  #then(session: SessionState, what: string, run: () => Promise<Report>): void {
    void this.#reporting(session, what, run);
  }

  /** Does what a session asked and reports to it. */
  #reporting(session: SessionState, what: string, run: () => Promise<Report>): Promise<void> {
    const { clientId, generation } = session;
    return this.#works.begin(what, async () => {
      const input = await run();
      await this.#parts.sure?.();
      this.shard.report({ clientId, generation }, input, this.#parts.clock.now());
    });
  }

  #publishWill(clientId: string, { will }: Extract<ShardEffect, { type: 'publish-will' }>): void {
    this.#works.begin('publish-will', async () => {
      await publishWill(this.#parts, clientId, will);
      this.shard.willSettled(clientId, will.connectionNumber, this.#parts.clock.now());
      this.#ended.tidy(clientId);
    });
  }
}

/** QoS 0, unless later packets rest on it. */
function isDroppable({ qos, alias }: PublishToClient): boolean {
  return qos === 0 && !alias?.isNew;
}
