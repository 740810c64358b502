import type { HistoryFrom, Log, LogEntry, Position } from '../ports/log.js';
import { filterMatches } from '../topics/filter-match.js';
import type { Publication } from '../topics/publication.js';
import { fromRecord } from '../topics/record.js';
import type { Routes } from '../topics/routes.js';

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
  /** By partition, the log topic that it is of. */
  readonly #topics = new Map<string, string>();

  constructor({ log, routes }: { log: Log; routes: Routes }) {
    this.#log = log;
    this.#routes = routes;
  }

  /** A page of one partition; with fewer publications than `limit`, even none, where there is more to look at. */
  async page(filter: string, partition: string, from: HistoryFrom, limit: number): Promise<HistoryPage> {
    const topic = await this.#topicOf(partition);
    // Asked first: what is appended from now on is not passed over unseen.
    const last = (await this.#log.last(partition)) ?? '';
    const entries = await this.#log.history(partition, from, LOOKED_AT_MAX);
    const page: HistoryPage = { publications: [], upTo: latest(last, from) };
    for (const entry of entries) {
      page.upTo = entry.position;
      const publication = this.#publicationOf(topic, entry);
      if (publication === null || !filterMatches(filter, publication.topic)) continue;
      page.publications.push({ position: entry.position, publication });
      if (page.publications.length === limit) break;
    }
    return page;
  }

  #publicationOf(logTopic: string, { record, appendedAtMs }: LogEntry): Publication | null {
    const topic = this.#routes.toTopic(logTopic, record.key);
    const publication = topic === null ? null : fromRecord(record, topic, appendedAtMs);
    return publication === null || 'problem' in publication ? null : publication;
  }

  async #topicOf(partition: string): Promise<string> {
    const readings = this.#topics.has(partition) ? [] : this.#routes.readings('#');
    for (const reading of readings) {
      if ('namespace' in reading) continue;
      for (const name of await this.#log.partitions(reading.logTopic)) this.#topics.set(name, reading.logTopic);
    }
    return this.#topics.get(partition) ?? partition;
  }
}

function latest(last: Position, from: HistoryFrom): Position {
  return typeof from === 'object' && 'after' in from && from.after > last ? from.after : last;
}
