import { hasWildcard, topicNameProblem } from './names.js';
import { type LogTopic, PLAIN_LOG_TOPIC, type Reading, type Route } from './route.js';
import { patternOverlaps, patternTakes } from './route-pattern.js';

const VARIABLE = /^\{[A-Za-z][\w-]*\}$/;

/** `devices/{id}/cmd`: null stands for a level that is a variable. */
export interface Template {
  levels: readonly (string | null)[];
  /** The topics that have this shape: `devices/+/cmd`. */
  pattern: string;
  variables: number;
}

/** What is wrong with `text`, as a clause that follows it; or the template that it is. */
export function parseTemplate(text: string): Template | { problem: string } {
  const problem = topicNameProblem(text);
  if (problem !== null) return { problem: `is no topic with variables: ${problem}` };
  const parts = text.split('/');
  const names = parts.filter((part) => VARIABLE.test(part));
  const odd = parts.find((part) => /[{}]/.test(part) && !VARIABLE.test(part));
  if (odd !== undefined) return { problem: `has the level ${odd}: a variable is a whole level, such as {id}` };
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) return { problem: `has ${twice} twice: each variable has a name of its own` };
  const levels = parts.map((part) => (VARIABLE.test(part) ? null : part));
  return { levels, pattern: levels.map((level) => level ?? '+').join('/'), variables: names.length };
}

/**
 * Takes the topics of one shape to one topic of the log. The key is what stands for the variables, joined by `/`: none of the
 * values can hold one. Without variables it is the MQTT topic. A variable may be empty, as a level of MQTT may.
 */
export function templatedRoute(
  { levels, pattern, variables }: Template,
  logTopic: string,
  description: LogTopic = PLAIN_LOG_TOPIC,
): Route {
  return {
    toLog(topic) {
      if (topicNameProblem(topic) !== null || !patternTakes(pattern, topic)) return null;
      return { logTopic, key: keyOf(topic.split('/')) };
    },
    toTopic: (from, key) => (from === logTopic ? topicOf(key) : null),
    readings(filter): readonly Reading[] {
      if (!patternOverlaps(pattern, filter)) return [];
      return [{ logTopic, key: keyFixedBy(filter) }];
    },
    named: [logTopic],
    topicsOf: () => [],
    describe: (name) => (name === logTopic ? description : null),
  };

  function keyOf(parts: readonly string[]): string {
    return (variables === 0 ? parts : parts.filter((_, at) => levels[at] === null)).join('/');
  }

  function topicOf(key: string): string | null {
    if (variables === 0) return key === pattern ? key : null;
    const values = key.split('/');
    if (values.length !== variables) return null;
    let next = 0;
    const topic = levels.map((level) => level ?? values[next++]).join('/');
    return topicNameProblem(topic) === null ? topic : null;
  }

  /** null where the filter, which overlaps the shape, leaves a variable open. */
  function keyFixedBy(filter: string): string | null {
    const parts = filter.split('/');
    const known = levels.map((level, at) => level ?? parts[at] ?? '#');
    return known.some(hasWildcard) ? null : keyOf(known);
  }
}
