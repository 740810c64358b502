import { keyedRoute } from './keyed-route.js';
import { mopRoute } from './mop-route.js';
import type { Route } from './route.js';
import { routeConflicts } from './route-conflicts.js';
import { parseRouteEntry, type RouteEntry } from './route-entry.js';
import { Routes } from './routes.js';
import { templatedRoute } from './templated-route.js';

/**
 * The routes that a setting lists, in order: a text with commas between entries, or a list with one entry each, which may
 * then hold commas. Every list that this accepts is reversible: a topic that some route takes is read back from its record.
 * `namespace` is that of topics with a short name; it is only used to see which names are the same topic.
 *
 * @returns all problems at once, each naming its entry and what is valid
 */
export function parseRoutes(
  setting: string | readonly string[],
  namespace = 'public/default',
): { routes: Routes } | { problems: string[] } {
  const texts = (typeof setting === 'string' ? setting.split(',') : setting).map((text) => text.trim());
  if (texts.every((text) => text === '')) return { problems: ['there is no route: valid is # -> keyed:mqtt'] };
  const entries: RouteEntry[] = [];
  const problems: string[] = [];
  for (const text of texts) {
    const entry = parseRouteEntry(text);
    if ('problem' in entry) problems.push(`"${text}" ${entry.problem}`);
    else entries.push(entry);
  }
  problems.push(...routeConflicts(entries, fullName));
  if (problems.length > 0) return { problems };
  const reserved = new Set(entries.flatMap((entry) => ('logTopic' in entry ? [fullName(entry.logTopic)] : [])));
  return { routes: new Routes(entries.map((entry) => routeOf(entry, reserved))) };

  function fullName(name: string): string {
    return name.includes('://') ? name : `persistent://${namespace}/${name}`;
  }
}

function routeOf(entry: RouteEntry, reserved: ReadonlySet<string>): Route {
  switch (entry.kind) {
    case 'keyed':
      return keyedRoute(entry.logTopic, entry.pattern, entry.description);
    case 'templated':
      return templatedRoute(entry.template, entry.logTopic, entry.description);
    case 'mop':
      return mopRoute({ ...entry, reserved });
  }
}
