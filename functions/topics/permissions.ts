import { filterCovers } from './filter-cover.js';
import { filterMatches } from './filter-match.js';
import { filterProblem, parseShared } from './names.js';

/** What a client may do, by filters; what none of them allows is denied. Plain data. */
export interface Permissions {
  /** It may publish to topics that one of these matches. */
  publish: readonly string[];
  /** It may subscribe to filters that one of these covers. */
  subscribe: readonly string[];
}

/** Whose permissions they are. Without a user name, `username` is empty. */
export interface Holder {
  clientId: string;
  username: string;
}

const PLACEHOLDER = /\$\{([^}]*)\}/g;
/** A value with one of these would be more than a piece of one level; with `$` at its beginning, something of the server's. */
const UNFIT = /^$|^\$|[/+#\0]/;

export function mayPublish({ publish }: Permissions, topic: string): boolean {
  return publish.some((filter) => filterMatches(filter, topic));
}

/** A shared subscription by its filter (section 4.8.2); one that is malformed is nobody's. */
export function maySubscribe(allowed: readonly string[], filter: string): boolean {
  if (filterProblem(filter) !== null) return false;
  const asked = parseShared(filter)?.filter ?? filter;
  return allowed.some((each) => filterCovers(each, asked));
}

/** Why a filter cannot be one of a rule; null: it can. It may hold `${clientid}` and `${username}`. */
export function ruleProblem(filter: string): string | null {
  for (const [whole, name] of filter.matchAll(PLACEHOLDER)) {
    if (name !== 'clientid' && name !== 'username') return `${whole} is neither \${clientid} nor \${username}`;
  }
  if (filter.startsWith('$share/')) return 'a shared subscription is allowed by its filter alone';
  return filterProblem(filter.replace(PLACEHOLDER, 'x'));
}

/** The filters as they are for one client; those that it has no fitting name for are left out. */
export function filledFilters(filters: readonly string[], { clientId, username }: Holder): string[] {
  const values: Readonly<Record<string, string>> = { clientid: clientId, username };
  return filters.flatMap((filter) => {
    const names = [...filter.matchAll(PLACEHOLDER)].map(([, name]) => name as string);
    if (names.some((name) => UNFIT.test(values[name] ?? ''))) return [];
    return [filter.replace(PLACEHOLDER, (_, name: string) => values[name] as string)];
  });
}
