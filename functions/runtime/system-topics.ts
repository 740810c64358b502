import type { Clock } from '../ports/clock.js';
import type { Publication } from '../topics/publication.js';

/** What there is to say, by the names that other brokers use; one process speaks for itself. */
export interface SystemFacts {
  version: string;
  connections: number;
  sessions: number;
  subscriptions: number;
  /** How long publications were in the log when they were handed out: the longest of the last minute. */
  backlogAgeMs: number;
  counters: Readonly<Record<string, number>>;
}

const EVERY_MS = 10_000;

const TOPICS: Readonly<Record<string, (facts: SystemFacts, uptimeS: number) => string | number>> = {
  version: ({ version }) => `pulsegate ${version}`,
  uptime: (_facts, uptimeS) => `${uptimeS} seconds`,
  'clients/connected': ({ connections }) => connections,
  'clients/total': ({ sessions }) => sessions,
  'subscriptions/count': ({ subscriptions }) => subscriptions,
  'publish/messages/received': ({ counters }) => counters['publications-received'] ?? 0,
  'publish/messages/sent': ({ counters }) => counters['publications-sent'] ?? 0,
  'publish/messages/dropped': ({ counters }) => sumOf(counters, 'publications-dropped-'),
};

/** Publishes `$SYS/broker/…` now and every ten seconds, what has changed. Returns what ends it. */
export function publishSystemTopics(
  clock: Clock,
  facts: () => SystemFacts,
  publish: (publication: Publication) => void,
): () => void {
  const startedAtMs = clock.now();
  const said = new Map<string, string>();
  let cancel = () => {};
  const say = () => {
    const now = clock.now();
    const current = facts();
    for (const [name, read] of Object.entries(TOPICS)) {
      const text = String(read(current, Math.floor((now - startedAtMs) / 1000)));
      if (said.get(name) === text) continue;
      said.set(name, text);
      publish(publicationOf(`$SYS/broker/${name}`, text, now));
    }
    cancel = clock.after(EVERY_MS, say);
  };
  say();
  return () => cancel();
}

function publicationOf(topic: string, text: string, now: number): Publication {
  return { topic, payload: Buffer.from(text), qos: 0, retain: true, publisher: '', publishedAtMs: now };
}

function sumOf(counters: SystemFacts['counters'], prefix: string): number {
  return Object.entries(counters).reduce((sum, [name, count]) => (name.startsWith(prefix) ? sum + count : sum), 0);
}
