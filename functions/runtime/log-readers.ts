import type { Shard } from '../fan-out/shard.js';
import type { Clock } from '../ports/clock.js';
import { PortError } from '../ports/errors.js';
import type { HistoryFrom, Log, LogEntry, Position, Receipt } from '../ports/log.js';
import type { CheckpointRow } from '../ports/store.js';
import type { Telemetry } from '../ports/telemetry.js';
import { type Routes, spelledIn } from '../topics/routes.js';
import { LogInterest } from './log-interest.js';
import type { LogTopics } from './log-topics.js';
import { PartitionFollower } from './partition-follower.js';
import { ResumedReading } from './resumed-reading.js';

export interface ReadLimits {
  /** Partitions of the log read at once. */
  partitionsMax: number;
  /** How long one is read on that no filter needs: subscribing again costs nothing meanwhile. */
  lingerMs: number;
}

export interface LogReadersParts {
  clock: Clock;
  telemetry: Telemetry;
  log: Log;
  routes: Routes;
  topics: LogTopics;
  shard: Shard;
  /** Of the reader, to the log: see `ReadOptions`. */
  name: string;
  limits: ReadLimits;
  handOut: (follower: PartitionFollower, entries: readonly LogEntry[]) => Promise<void>;
  failed: (error: unknown) => void;
  /** Resolves when every retained publication that was on its way to the log has its row. */
  retained: () => Promise<void>;
}

/** Where reading of a partition begins; `now`: with the entry after the newest. `isReplay`: what is there may have been handed out. */
type Begin = { from: HistoryFrom; low: Position | null; isReplay?: boolean } | 'now';

/** How long a SUBSCRIBE waits for what was acknowledged before it. If that is handed out later, the new subscription gets it, too. */
const REACHED_MAX_MS = 1_000;
/** How far back reading begins on a partition that a key may have moved to: more than two looks are apart. */
const MOVED_SINCE_MS = 60_000;

/**
 * Reads of the log what some filter of the shard needs, and no more. A topic or partition that was not there when the filter
 * came is read from its first entry.
 */
export class LogReaders {
  readonly #parts: LogReadersParts;
  readonly #topics: LogTopics;
  readonly #interest: LogInterest;
  readonly #resumed: ResumedReading;
  /** By partition. */
  readonly #followed = new Map<string, Promise<PartitionFollower>>();
  readonly #open = new Map<string, PartitionFollower>();
  readonly #letGo = new Map<string, Promise<void>>();
  /** By partition, how far the log was not told yet that it may trim: a partition may be idle from now on. */
  readonly #unacknowledged = new Map<string, Position>();
  /** By topic, how many partitions it had before the one that could not be read yet. */
  readonly #unread = new Map<string, number>();
  #isClosing = false;

  constructor(parts: LogReadersParts) {
    this.#parts = parts;
    this.#topics = parts.topics;
    this.#interest = new LogInterest(parts, parts.topics);
    const resume = (partition: string, low: Position | null) =>
      this.#follow(partition, { from: low === null ? 'earliest' : { after: low }, low, isReplay: true });
    this.#resumed = new ResumedReading({ ...parts, interest: this.#interest, resume });
  }

  /** Reads on where the checkpoints say, and for what has none where its subscriptions began. Resolves when caught up. */
  async start(checkpoints: readonly CheckpointRow[]): Promise<void> {
    const { shard, log, name } = this.#parts;
    const followers = await this.#resumed.begin();
    const others = checkpoints.map(({ partition }) => partition);
    for (const topic of this.#topics.named) others.push(...(await this.#topics.ask(topic, { make: false })));
    const unread = [...new Set(others)].filter(
      (partition) => !this.#followed.has(partition) && !this.#resumed.mayOwe(partition),
    );
    for (const partition of unread) shard.unfollow(partition);
    await Promise.all([
      ...followers.map((follower) => follower.caughtUp),
      ...unread.map((partition) => log.forget(partition, name)),
    ]);
    shard.caughtUp();
  }

  /** The partitions of a filter where all of them are read already and nothing need be asked; null: `ready` has to see to it. */
  known(filter: string, isWhole: boolean): readonly string[] | null {
    const partitions = this.#interest.known(filter, isWhole);
    const followers = (partitions ?? []).map((partition) => this.#open.get(partition));
    if (followers.some((follower) => follower === undefined || follower.isBehind)) return null;
    const now = this.#parts.clock.now();
    for (const follower of followers) if (follower) follower.wantedAtMs = now;
    return partitions;
  }

  /** Resolves with the partitions of a filter when all of them are read: what is appended from then on reaches the shard. */
  async ready(filter: string, isWhole: boolean): Promise<readonly string[]> {
    const partitions = this.#interest.known(filter, isWhole) ?? (await this.#interest.needs(filter, isWhole));
    const begin = (partition: string) => this.#beginOf(this.#topics.topicOf(partition) ?? partition);
    const followers = await Promise.all(partitions.map((partition) => this.#follow(partition, begin(partition))));
    await Promise.all(followers.map((follower) => follower.reached(REACHED_MAX_MS)));
    return partitions;
  }

  /** A publication is about to be acknowledged: a SUBSCRIBE after that waits until it was handed out, to others. */
  acknowledged({ partition, position }: Receipt): void {
    this.#open.get(partition)?.expect(position);
  }

  /** Until `run` resolves, the filters count as some that the shard has: what is made ready for them stays so. */
  whileComing(filters: readonly string[], run: () => Promise<void>): Promise<void> {
    return this.#interest.whileComing(filters, run);
  }

  /**
   * For whoever is about to append to a topic for the first time: resolves when it is read, if some filter matches it; null
   * where that is so already.
   */
  discover(logTopic: string): Promise<void> | null {
    return this.#topics.named.has(logTopic) ? null : this.#discover(logTopic);
  }

  async #discover(logTopic: string): Promise<void> {
    const { log, name } = this.#parts;
    const partitions = await this.#topics.ask(logTopic, { make: true });
    const begin = this.#beginOf(logTopic);
    if (this.#interest.isNeeded(logTopic)) {
      await Promise.all(partitions.map((partition) => this.#follow(partition, begin)));
      this.#interest.saw(logTopic);
    } else {
      this.#interest.saw(logTopic);
      const unread = partitions.filter((partition) => !this.#followed.has(partition));
      await Promise.all(unread.map((partition) => log.forget(partition, name)));
    }
  }

  /** Reads topics and partitions that have come to be and that some filter needs, from their first entry. One that fails waits for the next look, and holds up no other. */
  async look(): Promise<void> {
    const failed = (about: string, error: unknown) =>
      this.#parts.telemetry.log('warn', 'log-not-looked-into', { about, error: String(error) });
    await this.#resumed.again().catch((error: unknown) => failed('what was refused', error));
    const topicsRead = new Set([...this.#open.values()].map(({ logTopic }) => logTopic));
    for (const topic of this.#topics.named) {
      const before = this.#unread.get(topic) ?? this.#topics.known(topic)?.length ?? 0;
      if (before > 0 && !topicsRead.has(topic)) continue;
      try {
        const names = await this.#topics.ask(topic, { make: false });
        this.#unread.set(topic, before);
        if (names.length > before) await this.#followAdded(names, new Set(names.slice(before)));
        this.#unread.delete(topic);
      } catch (error) {
        failed(topic, error);
      }
    }
    for (const topic of await this.#interest.appeared(failed)) {
      try {
        const partitions = await this.#topics.ask(topic, { make: false });
        await Promise.all(partitions.map((partition) => this.#follow(partition, { from: 'earliest', low: null })));
      } catch (error) {
        this.#interest.missed(topic);
        failed(topic, error);
      }
    }
  }

  /** Lets go of partitions that no filter has needed for a while. */
  async sweep(): Promise<void> {
    const { clock, limits } = this.#parts;
    const begunAtMs = clock.now();
    const wanted = await this.#interest.wanted();
    for (const [partition, follower] of [...this.#open]) {
      const isNamed = this.#topics.named.has(follower.logTopic);
      const isWanted = isNamed ? wanted.has(partition) : this.#interest.isNeeded(follower.logTopic);
      if (isWanted) follower.wantedAtMs = Math.max(follower.wantedAtMs, begunAtMs);
      else if (follower.wantedAtMs < begunAtMs - limits.lingerMs) this.#stop(partition, follower);
    }
  }

  /** The log's own record of what was read only trims: it follows the checkpoint. */
  async acknowledge(rows: readonly CheckpointRow[]): Promise<void> {
    for (const { partition, low } of rows) if (low !== null) this.#unacknowledged.set(partition, low);
    const owed = [...this.#unacknowledged];
    const acknowledged = await Promise.allSettled(
      owed.map(async ([partition, low]) => {
        await this.#open.get(partition)?.acknowledge(low);
        if (this.#unacknowledged.get(partition) === low) this.#unacknowledged.delete(partition);
      }),
    );
    // The others are acknowledged, and this one is with the next call.
    for (const one of acknowledged) if (one.status === 'rejected') throw one.reason;
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    const opened = await Promise.allSettled(this.#followed.values());
    await Promise.allSettled(opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value.close()] : [])));
    await Promise.allSettled(this.#letGo.values());
  }

  /** A key may have moved to a partition that was there and that nobody read: it begins where the last look was made, and before. */
  async #followAdded(names: readonly string[], added: ReadonlySet<string>): Promise<void> {
    const wanted = await this.#interest.wanted();
    const sinceMs = this.#parts.clock.now() - MOVED_SINCE_MS;
    const beginOf = (name: string): HistoryFrom => (added.has(name) ? 'earliest' : { sinceMs });
    const missing = names.filter((name) => wanted.has(name) && !this.#followed.has(name));
    await Promise.all(missing.map((name) => this.#follow(name, { from: beginOf(name), low: null })));
  }

  /** For whoever comes upon a topic before the next look does. */
  #beginOf(logTopic: string): Begin {
    return this.#interest.isOwed(logTopic) ? { from: 'earliest', low: null } : 'now';
  }

  #follow(partition: string, begin: Begin): Promise<PartitionFollower> {
    const known = this.#followed.get(partition);
    const open = this.#open.get(partition);
    if (open !== undefined) open.wantedAtMs = this.#parts.clock.now();
    if (known !== undefined) return known;
    if (this.#isClosing) return Promise.reject(new PortError('gone', 'the worker is closing'));
    const { partitionsMax } = this.#parts.limits;
    if (this.#followed.size >= partitionsMax) {
      return Promise.reject(new PortError('full', `${partitionsMax} partitions are read, and no more may be`));
    }
    const opening = this.#openFollower(partition, begin);
    this.#followed.set(partition, opening);
    opening.catch(() => this.#followed.delete(partition));
    return opening;
  }

  async #openFollower(partition: string, begin: Begin): Promise<PartitionFollower> {
    const { log, shard, clock, routes, name, handOut, retained } = this.#parts;
    await this.#letGo.get(partition);
    const needsLast = begin === 'now' || begin.isReplay;
    const last = (needsLast && (await log.last(partition))) || '';
    const low = begin !== 'now' ? begin.low : last === '' ? null : last;
    const from = begin !== 'now' ? begin.from : low === null ? 'earliest' : { after: low };
    const reader = await log.read(partition, from, { name });
    // What was appended before, and is not going to be read, must have its row before that is looked at.
    if (begin === 'now') await retained();
    if (begin === 'now' || shard.low(partition) === null) shard.follow(partition, low);
    const logTopic = this.#topics.topicOf(partition) ?? partition;
    const failed = (error: unknown) => this.#failed(partition, error);
    const follower = new PartitionFollower(
      { clock, log, handOut, failed },
      { logTopic, ...spelledIn(routes, logTopic), reader, at: low ?? '', last, now: clock.now() },
    );
    this.#open.set(partition, follower);
    return follower;
  }

  #stop(partition: string, follower: PartitionFollower): void {
    const { shard, log, name, telemetry } = this.#parts;
    if (!shard.unfollow(partition)) return;
    this.#open.delete(partition);
    this.#followed.delete(partition);
    const letGo = follower
      .close()
      .then(() => log.forget(partition, name))
      .catch((error: unknown) => telemetry.log('warn', 'log-not-forgotten', { partition, error: String(error) }))
      .finally(() => this.#letGo.delete(partition));
    this.#letGo.set(partition, letGo);
  }

  #failed(partition: string, error: unknown): void {
    this.#parts.telemetry.log('error', 'log-reader-failed', { partition, error: String(error) });
    this.#parts.failed(error);
  }
}
