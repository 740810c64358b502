import type { Shard } from '../fan-out/shard.js';
import type { Clock } from '../ports/clock.js';
import { filterMatches } from '../topics/filter-match.js';
import { keyHash } from '../topics/key-hash.js';
import { parseShared } from '../topics/names.js';
import type { Reading, Routes } from '../topics/routes.js';
import { type LogTopics, namespaceOf } from './log-topics.js';

/** Filters looked at before others get their turn. */
const STRETCH_FILTERS = 2_000;

type Subscribers = Pick<Shard, 'hasMatch' | 'filters' | 'subscriptions'>;

/** What of the log the filters of a shard need: topics and, for filters without wildcards, single partitions. */
export class LogInterest {
  readonly #clock: Clock;
  readonly #routes: Routes;
  readonly #shard: Subscribers;
  readonly #topics: LogTopics;
  /** Namespaces that some filter needs looked into, and the topics that were there the last time. */
  readonly #namespaces = new Map<string, Set<string>>();
  /** Filters that are being made ready, and so are in no index yet. */
  readonly #coming = new Map<string, number>();

  constructor(parts: { clock: Clock; routes: Routes; shard: Subscribers }, topics: LogTopics) {
    this.#clock = parts.clock;
    this.#routes = parts.routes;
    this.#shard = parts.shard;
    this.#topics = topics;
  }

  /** The partitions of a filter where nothing has to be asked; `isWhole`: all of its topics', for their history. */
  known(filter: string, isWhole: boolean): readonly string[] | null {
    const partitions: string[] = [];
    for (const reading of this.#readings(filter)) {
      const names = 'namespace' in reading ? undefined : this.#topics.known(reading.logTopic);
      if (names === undefined || 'namespace' in reading) return null;
      partitions.push(...chosen(names, isWhole ? null : reading.key));
    }
    return partitions;
  }

  /** The partitions that there are of a filter's topics. What comes to be later, `appeared` finds. */
  async needs(filter: string, isWhole: boolean): Promise<readonly string[]> {
    const partitions = new Set<string>();
    for (const reading of this.#readings(filter)) {
      for (const [topic, key] of 'namespace' in reading
        ? await this.#matching(reading.namespace, innerOf(filter))
        : [[reading.logTopic, reading.key] as const]) {
        const names = this.#topics.known(topic) ?? (await this.#topics.ask(topic));
        if (names.length === 0 && !this.#topics.named.has(topic)) await this.#lookForOne(namespaceOf(topic));
        for (const name of chosen(names, isWhole ? null : key)) partitions.add(name);
      }
    }
    return [...partitions];
  }

  /** Until `run` resolves, the filters count as some of the shard's. */
  async whileComing(filters: readonly string[], run: () => Promise<void>): Promise<void> {
    const coming = filters.map(innerOf);
    for (const filter of coming) this.#coming.set(filter, (this.#coming.get(filter) ?? 0) + 1);
    try {
      await run();
    } finally {
      for (const filter of coming) {
        const others = (this.#coming.get(filter) ?? 1) - 1;
        if (others > 0) this.#coming.set(filter, others);
        else this.#coming.delete(filter);
      }
    }
  }

  /** Whether some filter matches an MQTT topic that a log topic may stand for; not for those that the routes name. */
  isNeeded(logTopic: string): boolean {
    const topics = this.#routes.topicsOf(logTopic);
    if (topics.some((topic) => this.#shard.hasMatch(topic))) return true;
    return [...this.#coming.keys()].some((filter) => topics.some((topic) => filterMatches(filter, topic)));
  }

  /** Partitions of the topics that the routes name. */
  async wanted(): Promise<ReadonlySet<string>> {
    const wanted = new Set<string>();
    const want = (filter: string, isWhole: boolean) => {
      for (const reading of this.#readings(filter)) {
        if ('namespace' in reading) continue;
        const names = this.#topics.known(reading.logTopic) ?? [];
        for (const name of chosen(names, isWhole ? null : reading.key)) wanted.add(name);
      }
    };
    let left = STRETCH_FILTERS;
    for (const filter of this.#shard.filters()) {
      want(filter, false);
      left -= 1;
      if (left > 0) continue;
      left = STRETCH_FILTERS;
      await new Promise((resume) => setImmediate(resume));
    }
    for (const filter of this.#coming.keys()) want(filter, true);
    for (const { replay } of this.#shard.subscriptions()) {
      for (const name of Object.keys(replay?.from ?? {})) wanted.add(name);
    }
    return wanted;
  }

  /** A topic that whoever makes it sees to. */
  saw(logTopic: string): void {
    this.#namespaces.get(namespaceOf(logTopic) ?? '')?.add(logTopic);
  }

  /** It could not be read: the next look finds it again. */
  missed(logTopic: string): void {
    this.#namespaces.get(namespaceOf(logTopic) ?? '')?.delete(logTopic);
  }

  /** Whether a topic has come to be since the last look, for a filter that was there before it: all of it is owed to that. */
  isOwed(logTopic: string): boolean {
    const seen = this.#namespaces.get(namespaceOf(logTopic) ?? '');
    if (seen === undefined || seen.has(logTopic)) return false;
    return this.#routes.topicsOf(logTopic).some((topic) => this.#shard.hasMatch(topic));
  }

  /**
   * Topics that have come to be since the last look, and that some filter needs. `failed`: told of a namespace that cannot be
   * looked into; the others are.
   */
  async appeared(failed: (namespace: string, error: unknown) => void): Promise<readonly string[]> {
    const appeared: string[] = [];
    for (const [namespace, seen] of this.#namespaces) {
      try {
        for (const topic of await this.#topics.list(namespace, this.#clock.now())) {
          if (seen.has(topic)) continue;
          seen.add(topic);
          if (this.isNeeded(topic)) appeared.push(topic);
        }
      } catch (error) {
        failed(namespace, error);
      }
    }
    return appeared;
  }

  #readings(filter: string): readonly Reading[] {
    return this.#routes.readings(innerOf(filter));
  }

  async #matching(namespace: string, filter: string): Promise<readonly (readonly [string, null])[]> {
    const topics = await this.#topics.list(namespace, this.#clock.now());
    this.#lookInto(namespace, topics);
    const isMatch = (topic: string) => filterMatches(filter, topic);
    return topics.filter((topic) => this.#routes.topicsOf(topic).some(isMatch)).map((topic) => [topic, null]);
  }

  /** For a topic that is not there: its namespace has to be, or nobody will ever make it. */
  async #lookForOne(namespace: string | null): Promise<void> {
    if (namespace === null || this.#namespaces.has(namespace)) return;
    await this.#topics.list(namespace, this.#clock.now());
    this.#lookInto(namespace, []);
  }

  /** From now on. What other filters need of a namespace that is looked into already, the next look finds. */
  #lookInto(namespace: string | null, topics: readonly string[]): void {
    if (namespace !== null && !this.#namespaces.has(namespace)) this.#namespaces.set(namespace, new Set(topics));
  }
}

/** Of a topic's partitions, those where a key's records are; null: all. */
function chosen(names: readonly string[], key: string | null): readonly string[] {
  if (key === null || names.length < 2) return names;
  return [names[keyHash(key) % names.length] as string];
}

/** What a shared subscription asks of the log. */
function innerOf(filter: string): string {
  return parseShared(filter)?.filter ?? filter;
}
