import { topicNameProblem } from './names.js';

/** Where a publication goes: a topic of the log, and the key that decides its partition. */
export interface Placement {
  logTopic: string;
  key: string;
}

/**
 * How MQTT topics and topics of the log stand for each other (DESIGN.md section 4). Two more kinds are to come:
 * `templated` takes topics of one shape, `devices/{id}/cmd`, to a log topic of their own, with what stands for `{id}` as
 * the key; it places no other topic, and fills the shape in again on the way back. `mop` takes each topic to a log topic
 * named after it, as MoP does; for a filter with wildcards it cannot name the log topics ahead.
 */
export interface Route {
  /** null where this route does not take the topic. */
  toLog(topic: string): Placement | null;
  /** The MQTT topic of a record, whoever produced it; null where it is not this route's, or stands for no valid topic. */
  toTopic(logTopic: string, key: string, properties: Readonly<Record<string, string>>): string | null;
  /** Every log topic that may hold a publication that `filter` matches; `all` where only the log can say which there are. */
  logTopics(filter: string): readonly string[] | 'all';
}

/** Takes every topic to one topic of the log, with the MQTT topic as the key: order holds per MQTT topic. */
export function keyedRoute(logTopic = 'mqtt'): Route {
  const logTopics = [logTopic];
  return {
    toLog: (topic) => (topicNameProblem(topic) === null ? { logTopic, key: topic } : null),
    toTopic: (from, key) => (from === logTopic && topicNameProblem(key) === null ? key : null),
    logTopics: () => logTopics,
  };
}

/** Routes in order: the first that takes a topic or a record decides. Without any, the keyed one for everything. */
export class Routes implements Route {
  readonly #routes: readonly Route[];

  constructor(routes: readonly Route[] = [keyedRoute()]) {
    this.#routes = routes;
  }

  toLog(topic: string): Placement | null {
    for (const route of this.#routes) {
      const placement = route.toLog(topic);
      if (placement !== null) return placement;
    }
    return null;
  }

  toTopic(logTopic: string, key: string, properties: Readonly<Record<string, string>>): string | null {
    for (const route of this.#routes) {
      const topic = route.toTopic(logTopic, key, properties);
      if (topic !== null) return topic;
    }
    return null;
  }

  /** Of every route, not of the first alone: a native producer may write to any of their log topics. */
  logTopics(filter = '#'): readonly string[] | 'all' {
    const named = new Set<string>();
    for (const route of this.#routes) {
      const logTopics = route.logTopics(filter);
      if (logTopics === 'all') return 'all';
      for (const logTopic of logTopics) named.add(logTopic);
    }
    return [...named];
  }
}
