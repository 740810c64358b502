import { filterMatches, levelEnd } from './filter-match.js';

const DOLLAR = '$';

/**
 * Whether a route with this pattern takes `topic`. A pattern is a topic filter, but its wildcards stand for names that begin
 * with `$` as well: [MQTT-4.7.2-1] is about who sees a topic, not about where it is kept.
 */
export function patternTakes(pattern: string, topic: string): boolean {
  if (pattern === '#') return true;
  return topic.startsWith(DOLLAR) ? filterMatches(`/${pattern}`, `/${topic}`) : filterMatches(pattern, topic);
}

/** Whether a subscription to `filter` can match a topic that the pattern takes. */
export function patternOverlaps(pattern: string, filter: string): boolean {
  return !isHiddenFrom(pattern, filter) && levelsOverlap(pattern, filter);
}

/**
 * Whether some topic is matched by both filters, which are well-formed and stand without a share name (MQTT 5.0 section 4.7).
 * That the topic might be longer than a topic name may be is not considered.
 */
export function filtersOverlap(a: string, b: string): boolean {
  return !isHiddenFrom(a, b) && !isHiddenFrom(b, a) && levelsOverlap(a, b);
}

/** As `filtersOverlap`, with wildcards that stand for names with `$` too. */
export function levelsOverlap(a: string, b: string): boolean {
  for (let atA = 0, atB = 0; ; ) {
    const [endA, endB] = [levelEnd(a, atA), levelEnd(b, atB)];
    const [levelA, levelB] = [a.slice(atA, endA), b.slice(atB, endB)];
    if (levelA === '#' || levelB === '#') return true;
    if (levelA !== levelB && levelA !== '+' && levelB !== '+') return false;
    if (endA === a.length) return endB === b.length || isTail(b, endB);
    if (endB === b.length) return isTail(a, endA);
    atA = endA + 1;
    atB = endB + 1;
  }
}

/** `a/#` matches `a` as well (section 4.7.1.2). Before `/#` there would be the empty text, which is no topic. */
function isTail(filter: string, at: number): boolean {
  return at > 0 && filter.slice(at) === '/#';
}

function isHiddenFrom(names: string, filter: string): boolean {
  return names.startsWith(DOLLAR) && (filter.startsWith('+') || filter.startsWith('#'));
}
