import type { Shard } from '../fan-out/shard.js';
import { portErrorCode } from '../ports/errors.js';
import type { Position } from '../ports/log.js';
import type { SubscriptionRow } from '../ports/store.js';
import type { Telemetry } from '../ports/telemetry.js';
import type { LogInterest } from './log-interest.js';
import type { LogTopics } from './log-topics.js';
import type { PartitionFollower } from './partition-follower.js';

interface Parts {
  telemetry: Telemetry;
  shard: Shard;
  interest: LogInterest;
  topics: LogTopics;
  /** Reads a partition on; null: from its first entry. Rejects as `Log.read` does. */
  resume: (partition: string, low: Position | null) => Promise<PartitionFollower>;
}

/**
 * What the stored subscriptions need of the log when a worker begins. What the log refuses, because a namespace is gone or a
 * right was taken away, is said and tried again: one filter must not keep all others from being served.
 */
export class ResumedReading {
  readonly #parts: Parts;
  /** Refused, as is what is in `partitions`. */
  #filters = new Set<string>();
  /** And since when each is owed; the empty text: from its first entry. */
  #partitions = new Map<string, Position>();
  readonly #said = new Set<string>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Resolves with who reads all that is not refused. Rejects where the log does not answer. */
  begin(): Promise<PartitionFollower[]> {
    return this.#read(this.#parts.shard.subscriptions(), new Map());
  }

  /** Tries what was refused. */
  async again(): Promise<void> {
    const [filters, partitions] = [this.#filters, this.#partitions];
    if (filters.size === 0 && partitions.size === 0) return;
    [this.#filters, this.#partitions] = [new Set(), new Map()];
    try {
      const subscriptions = [...this.#parts.shard.subscriptions()].filter(({ filter }) => filters.has(filter));
      await this.#read(subscriptions, partitions);
    } catch (error) {
      this.#filters = new Set([...this.#filters, ...filters]);
      this.#partitions = new Map([...partitions, ...this.#partitions]);
      throw error;
    }
  }

  /** Whether a partition that nobody reads may be owed to a filter that is refused for now. */
  mayOwe(partition: string): boolean {
    if (this.#partitions.has(partition)) return true;
    const { interest, topics } = this.#parts;
    return this.#filters.size > 0 && interest.isNeeded(topics.topicOf(partition) ?? partition);
  }

  async #read(subscriptions: Iterable<SubscriptionRow>, begins: Map<string, Position>): Promise<PartitionFollower[]> {
    const { interest, shard, resume } = this.#parts;
    for (const { filter, since, replay } of subscriptions) {
      const isWhole = replay !== undefined;
      const partitions =
        interest.known(filter, isWhole) ?? (await this.#unlessRefused(filter, () => interest.needs(filter, isWhole)));
      if (partitions === null) this.#filters.add(filter);
      for (const partition of partitions ?? []) {
        const at = since[partition] ?? '';
        const known = begins.get(partition);
        if (known === undefined || at < known) begins.set(partition, at);
      }
    }
    const followers = await Promise.all(
      [...begins].map(async ([partition, since]) => {
        const low = shard.low(partition) ?? (since === '' ? null : since);
        const follower = await this.#unlessRefused(partition, () => resume(partition, low));
        if (follower === null) this.#partitions.set(partition, since);
        return follower ?? [];
      }),
    );
    return followers.flat();
  }

  async #unlessRefused<T>(about: string, ask: () => Promise<T>): Promise<T | null> {
    try {
      return await ask();
    } catch (error) {
      if (portErrorCode(error) !== 'refused') throw error;
      if (!this.#said.has(about)) {
        this.#parts.telemetry.log('warn', 'subscription-unreadable', { about, error: String(error) });
      }
      this.#said.add(about);
      return null;
    }
  }
}
