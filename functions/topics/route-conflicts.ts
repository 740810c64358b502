import type { RouteEntry } from './route-entry.js';
import { levelsOverlap } from './route-pattern.js';

type Named = Extract<RouteEntry, { logTopic: string }>;
type Mop = Extract<RouteEntry, { kind: 'mop' }>;

/**
 * Why records of two routes could not be told apart, one line for each pair: what is read back would not be what was
 * published. `fullName` completes a short name.
 */
export function routeConflicts(entries: readonly RouteEntry[], fullName: (name: string) => string): string[] {
  return entries.flatMap((second, at) =>
    entries.slice(0, at).flatMap((first) => {
      const problem = conflict(first, second, fullName);
      return problem === null ? [] : [`"${first.text}" and "${second.text}" ${problem}`];
    }),
  );
}

function conflict(first: RouteEntry, second: RouteEntry, fullName: (name: string) => string): string | null {
  if (first.kind === 'mop' || second.kind === 'mop') {
    // A topic that another route names is none of mop's (`MopOptions.reserved`).
    return first.kind === 'mop' && second.kind === 'mop' ? mopConflict(first, second) : null;
  }
  if (fullName(first.logTopic) !== fullName(second.logTopic)) return null;
  return nameConflict(first, second) ?? optionsConflict(first, second) ?? keyConflict(first, second);
}

/** The first would take what the second writes for topics with a full name. */
function mopConflict(first: Mop, second: Mop): string | null {
  if (first.namespace === second.namespace) return null;
  if (!levelsOverlap(first.pattern, `persistent://${second.namespace}/#`)) return null;
  return `both reach the topics of ${second.namespace}: put the second one first, or let the first take less`;
}

/** The log would be asked for one topic by two names, and read it twice. */
function nameConflict(first: Named, second: Named): string | null {
  if (first.logTopic === second.logTopic) return null;
  return `name one topic of Pulsar in two ways, ${first.logTopic} and ${second.logTopic}: write it alike`;
}

function optionsConflict(first: Named, second: Named): string | null {
  const [a, b] = [first.description, second.description];
  const isSame = a.mayBeMade === b.mayBeMade && a.partitions === b.partitions && a.generation === b.generation;
  return isSame ? null : `write to ${first.logTopic} and say different options of it: give both the same`;
}

function keyConflict(first: Named, second: Named): string | null {
  const [a, b] = [keysOf(first), keysOf(second)];
  if (a.isWholeTopic && b.isWholeTopic) return null;
  if (!a.isWholeTopic && !b.isWholeTopic && patternOf(first) === patternOf(second)) return null;
  if (!levelsOverlap(a.pattern, b.pattern)) return null;
  return `write to ${first.logTopic} with keys that cannot be told apart: let each write to a topic of its own`;
}

/** Which keys a route writes, and whether they are MQTT topics: then the same key is the same topic. */
function keysOf(entry: Named): { pattern: string; isWholeTopic: boolean } {
  if (entry.kind === 'keyed' || entry.template.variables === 0) {
    return { pattern: patternOf(entry), isWholeTopic: true };
  }
  return { pattern: Array(entry.template.variables).fill('+').join('/'), isWholeTopic: false };
}

function patternOf(entry: Named): string {
  return entry.kind === 'keyed' ? entry.pattern : entry.template.pattern;
}
