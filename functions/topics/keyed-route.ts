import { hasWildcard, topicNameProblem } from './names.js';
import { type LogTopic, PLAIN_LOG_TOPIC, type Route } from './route.js';
import { patternOverlaps, patternTakes } from './route-pattern.js';

/**
 * Takes every topic that `pattern` takes (`route-pattern.ts`) to one topic of the log, with the MQTT topic as the key: order
 * holds per MQTT topic.
 */
export function keyedRoute(logTopic = 'mqtt', pattern = '#', description: LogTopic = PLAIN_LOG_TOPIC): Route {
  const whole = [{ logTopic, key: null }];
  return {
    toLog: (topic) => (isTaken(topic) ? { logTopic, key: topic } : null),
    toTopic: (from, key) => (from === logTopic && isTaken(key) ? key : null),
    readings(filter) {
      if (!patternOverlaps(pattern, filter)) return [];
      return hasWildcard(filter) ? whole : [{ logTopic, key: filter }];
    },
    named: [logTopic],
    topicsOf: () => [],
    describe: (name) => (name === logTopic ? description : null),
  };

  function isTaken(topic: string): boolean {
    return topicNameProblem(topic) === null && patternTakes(pattern, topic);
  }
}
