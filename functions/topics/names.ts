import { FIELD_MAX_BYTES } from '../mqtt/limits.js';
import { levelEnd } from './filter-match.js';

const SHARE_PREFIX = '$share/';
const NULL_CHARACTER = '\u0000';
/** No UTF-16 code unit takes more in UTF-8, so shorter texts need no counting. */
const UTF8_BYTES_PER_UNIT_MAX = 3;

/** Why `topic` is not a Topic Name that may be published to, or null where it is one. */
export function topicNameProblem(topic: string): string | null {
  return textProblem(topic) ?? (hasWildcard(topic) ? 'it holds a wildcard [MQTT-4.7.1-1]' : null);
}

/** Why `filter` is not a Topic Filter, shared or not, or null where it is one. */
export function filterProblem(filter: string): string | null {
  const problem = textProblem(filter);
  if (problem !== null) return problem;
  return filter.startsWith(SHARE_PREFIX) ? sharedProblem(filter) : levelsProblem(filter, 0);
}

/**
 * The share name of `$share/group/filter` and the filter that its members match with (section 4.8.2);
 * null where `filter` is not a shared subscription, or a malformed one.
 */
export function parseShared(filter: string): { group: string; filter: string } | null {
  if (!filter.startsWith(SHARE_PREFIX) || sharedProblem(filter) !== null) return null;
  const groupEnd = levelEnd(filter, SHARE_PREFIX.length);
  return { group: filter.slice(SHARE_PREFIX.length, groupEnd), filter: filter.slice(groupEnd + 1) };
}

/** Whether only the server itself publishes to this topic (section 4.7.2). */
export function isServersOwn(topic: string): boolean {
  return topic === '$SYS' || topic.startsWith('$SYS/');
}

export function hasWildcard(filter: string): boolean {
  return filter.includes('+') || filter.includes('#');
}

function textProblem(text: string): string | null {
  if (text === '') return 'it is empty [MQTT-4.7.3-1]';
  if (text.includes(NULL_CHARACTER)) return 'it holds the null character U+0000 [MQTT-4.7.3-2]';
  if (text.length * UTF8_BYTES_PER_UNIT_MAX > FIELD_MAX_BYTES && Buffer.byteLength(text) > FIELD_MAX_BYTES) {
    return `it is longer than ${FIELD_MAX_BYTES} bytes [MQTT-4.7.3-3]`;
  }
  return null;
}

function sharedProblem(filter: string): string | null {
  const groupEnd = levelEnd(filter, SHARE_PREFIX.length);
  if (groupEnd === SHARE_PREFIX.length) return 'the share name is empty [MQTT-4.8.2-1]';
  if (hasWildcard(filter.slice(SHARE_PREFIX.length, groupEnd))) return 'the share name holds a wildcard [MQTT-4.8.2-2]';
  if (groupEnd + 1 >= filter.length) return 'no filter follows the share name [MQTT-4.8.2-2]';
  return levelsProblem(filter, groupEnd + 1);
}

/** Looks at wildcards only: where there is none, no level can be wrong. */
function levelsProblem(filter: string, start: number): string | null {
  if (!hasWildcard(filter)) return null;
  for (let at = start; at <= filter.length; ) {
    const end = levelEnd(filter, at);
    const level = filter.slice(at, end);
    if (level === '#' && end < filter.length) return '# is not the last level [MQTT-4.7.1-1]';
    if (level.length > 1 && level.includes('#')) return '# does not stand alone in its level [MQTT-4.7.1-1]';
    if (level.length > 1 && level.includes('+')) return '+ does not stand alone in its level [MQTT-4.7.1-2]';
    at = end + 1;
  }
  return null;
}
