import { keyedRoute } from './keyed-route.js';
import type { LogTopic, Placement, Reading, Route } from './route.js';
import { isAboutFullNames, type Spellings } from './spellings.js';

export type { LogTopic, Placement, Reading, Route };
export { keyedRoute };

/** More than a topic has partitions: a route's generation counts before the layout of a log topic. */
const LAYOUTS = 1_000_000;

/** Of a record's place, the layout that goes into a retained row. */
export function layoutIn(routes: Routes, logTopic: string, place: { layout?: number }): number {
  return (routes.describe(logTopic)?.generation ?? 0) * LAYOUTS + (place.layout ?? 0);
}

/** Of a place in a topic of the log, the names that it has for MQTT, where there are two. */
export function spelledIn(routes: Routes, logTopic: string): { spellings?: Spellings } {
  const spellings = routes.spellingsOf(logTopic);
  return spellings === null ? {} : { spellings };
}

/** Routes in order: the first that takes a topic or a record decides. Without any, the keyed one for everything. */
export class Routes implements Route {
  readonly #routes: readonly Route[];

  constructor(routes: readonly Route[] = [keyedRoute()]) {
    this.#routes = routes;
  }

  toLog(topic: string): Placement | null {
    return this.#first((route) => route.toLog(topic));
  }

  toTopic(logTopic: string, key: string): string | null {
    return this.#first((route) => route.toTopic(logTopic, key));
  }

  /** Of every route, not of the first alone: a native producer may write to any of their log topics. */
  readings(filter: string): readonly Reading[] {
    return this.#routes.flatMap((route) => route.readings(filter));
  }

  get named(): readonly string[] {
    return this.#routes.flatMap((route) => route.named);
  }

  topicsOf(logTopic: string): readonly string[] {
    return this.#routes.flatMap((route) => route.topicsOf(logTopic));
  }

  describe(logTopic: string): LogTopic | null {
    return this.#first((route) => route.describe(logTopic));
  }

  /** Both names of a topic of the log that has two for MQTT; null for all others. */
  spellingsOf(logTopic: string): Spellings | null {
    const topics = this.topicsOf(logTopic).filter((topic) => this.toLog(topic)?.logTopic === logTopic);
    const full = topics.find(isAboutFullNames);
    const short = topics.find((topic) => !isAboutFullNames(topic));
    return full === undefined || short === undefined ? null : { short, full };
  }

  /** Whether a topic is the second name of another. */
  isSecondName(topic: string): boolean {
    if (!isAboutFullNames(topic)) return false;
    const place = this.toLog(topic);
    return place !== null && this.spellingsOf(place.logTopic)?.full === topic;
  }

  #first<T>(ask: (route: Route) => T | null): T | null {
    for (const route of this.#routes) {
      const answer = ask(route);
      if (answer !== null) return answer;
    }
    return null;
  }
}
