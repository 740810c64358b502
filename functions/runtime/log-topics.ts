import type { Log } from '../ports/log.js';
import type { Routes } from '../topics/routes.js';

/** How old what is known of a namespace may be when a filter asks for it. */
const LISTING_MAX_AGE_MS = 1_000;
const NAMESPACE = /^persistent:\/\/([^/]+\/[^/]+)\//;

/** What there is in the log, as it was last asked. */
export class LogTopics {
  /** Those that the routes name whatever the filter. */
  readonly named: ReadonlySet<string>;
  readonly #log: Log;
  readonly #partitions = new Map<string, readonly string[]>();
  readonly #topicOf = new Map<string, string>();
  readonly #listings = new Map<string, { topics: readonly string[]; atMs: number }>();

  constructor({ log, routes }: { log: Log; routes: Routes }) {
    this.#log = log;
    this.named = new Set(routes.named);
  }

  /** The log topic of a partition that was asked for. */
  topicOf(partition: string): string | undefined {
    return this.#topicOf.get(partition);
  }

  /** As last asked; undefined: it was not, or there was none. */
  known(topic: string): readonly string[] | undefined {
    return this.#partitions.get(topic);
  }

  /** Asks the log. Only topics that the routes name are made by being read; others come to be with their first publication. */
  async ask(topic: string, options: { make: boolean } = { make: this.named.has(topic) }): Promise<readonly string[]> {
    const names = await this.#log.partitions(topic, options);
    if (names.length > 0) this.#partitions.set(topic, names);
    for (const name of names) this.#topicOf.set(name, topic);
    return names;
  }

  /** Topics of a namespace, asked for a moment ago or now. */
  async list(namespace: string, now: number): Promise<readonly string[]> {
    const known = this.#listings.get(namespace);
    if (known !== undefined && now - known.atMs < LISTING_MAX_AGE_MS) return known.topics;
    const topics = await this.#log.topics(namespace);
    this.#listings.set(namespace, { topics, atMs: now });
    return topics;
  }
}

/** `tenant/namespace` of a full topic name. */
export function namespaceOf(logTopic: string): string | null {
  return NAMESPACE.exec(logTopic)?.[1] ?? null;
}
