import type { HistoryFrom, Log, LogEntry, Position } from '../ports/log.js';
import { filterMatches } from '../topics/filter-match.js';
import type { Publication } from '../topics/publication.js';
import { fromRecord } from '../topics/record.js';
import type { Routes } from '../topics/routes.js';
import { spelledFor } from '../topics/spellings.js';
import type { LogTopics } from './log-topics.js';

/** Entries looked at for one page, whatever they hold. */
const LOOKED_AT_MAX = 1_000;

export interface HistoryPage {
  publications: { position: Position; publication: Publication }[];
  /** All up to here was looked at. */
  upTo: Position;
}

/** What the log still has of a filter's publications. */
export class History {
  readonly #log: Log;
  readonly #routes: Routes;
  readonly #topics: LogTopics;

  constructor({ log, routes, topics }: { log: Log; routes: Routes; topics: LogTopics }) {
    this.#log = log;
    this.#routes = routes;
    this.#topics = topics;
  }

  /** A page of one partition; with fewer publications than `limit`, even none, where there is more to look at. */
  async page(filter: string, partition: string, from: HistoryFrom, limit: number): Promise<HistoryPage> {
    const topic = this.#topics.topicOf(partition) ?? partition;
    // Asked first: what is appended from now on is not passed over unseen.
    const last = (await this.#log.last(partition)) ?? '';
    const entries = await this.#log.history(partition, from, LOOKED_AT_MAX);
    const page: HistoryPage = { publications: [], upTo: latest(last, from) };
    const spellings = this.#routes.spellingsOf(topic);
    const spelled = spellings && spelledFor(filter, spellings);
    for (const entry of entries) {
      page.upTo = entry.position;
      const publication = this.#publicationOf(topic, entry, spelled);
      if (publication === null || !filterMatches(filter, publication.topic)) continue;
      page.publications.push({ position: entry.position, publication });
      if (page.publications.length === limit) break;
    }
    return page;
  }

  #publicationOf(logTopic: string, { record, appendedAtMs }: LogEntry, spelled: string | null): Publication | null {
    const named = this.#routes.toTopic(logTopic, record.key);
    const topic = named && (spelled ?? named);
    const publication = topic === null ? null : fromRecord(record, topic, appendedAtMs);
    return publication === null || 'problem' in publication ? null : publication;
  }
}

function latest(last: Position, from: HistoryFrom): Position {
  return typeof from === 'object' && 'after' in from && from.after > last ? from.after : last;
}
