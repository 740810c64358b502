import type { Authenticator } from '../../ports/authenticator.js';
import { filledFilters, type Permissions, ruleProblem } from '../../topics/permissions.js';

/** Filters that some users, or all, may publish and subscribe to. */
export interface Rule extends Permissions {
  /** null: everybody. */
  users: ReadonlySet<string> | null;
}

const KEYS = ['users', 'publish', 'subscribe'];
/** Of one client's filters; each connection holds them. */
const FILTERS_MAX_BYTES = 32 * 1024;

/**
 * The rules in what a file holds: a list of `{ users, publish, subscribe }`, each a list of texts, `users` left out for
 * everybody. Throws naming every problem by the number of its rule.
 */
export function parseRules(content: unknown): Rule[] {
  if (!Array.isArray(content) || content.length === 0) throw new Error('it is not a list of rules');
  const problems: string[] = [];
  const rules = content.map((entry: unknown, index) => {
    const tell = (problem: string) => problems.push(`rule ${index + 1} ${problem}`);
    const given = typeof entry === 'object' && entry !== null ? (entry as Record<string, unknown>) : {};
    for (const key of Object.keys(given)) if (!KEYS.includes(key)) tell(`has ${key}, which means nothing`);
    if (given.publish === undefined && given.subscribe === undefined) tell('allows nothing');
    const users = given.users === undefined ? null : new Set(texts(given.users, 'users', tell));
    return {
      users,
      publish: filters(given.publish, 'publish', tell),
      subscribe: filters(given.subscribe, 'subscribe', tell),
    };
  });
  const users = new Set(rules.flatMap((rule) => [...(rule.users ?? [])]));
  for (const user of ['', ...users]) {
    const { publish, subscribe } = allOf(rulesFor(rules, user));
    if ([...publish, ...subscribe].join().length > FILTERS_MAX_BYTES) {
      problems.push(`${user || 'everybody'} gets filters of more than ${FILTERS_MAX_BYTES} bytes`);
    }
  }
  if (problems.length > 0) throw new Error(problems.join('; '));
  return rules;
}

/** Whoever is admitted may do what the rules say, beside what the authenticator itself allows, and nothing else. */
export function withRules(authenticator: Authenticator, rules: readonly Rule[]): Authenticator {
  return {
    ...authenticator,
    async authenticate(credentials) {
      const verdict = await authenticator.authenticate(credentials);
      if (!verdict.admitted) return verdict;
      const holder = { clientId: credentials.clientId, username: verdict.principal };
      const own = rulesFor(rules, verdict.principal).map(({ publish, subscribe }) => ({
        publish: filledFilters(publish, holder),
        subscribe: filledFilters(subscribe, holder),
      }));
      return { ...verdict, permissions: allOf([...own, ...(verdict.permissions ? [verdict.permissions] : [])]) };
    },
  };
}

function rulesFor(rules: readonly Rule[], user: string): Rule[] {
  return rules.filter(({ users }) => users === null || users.has(user));
}

function allOf(all: readonly Permissions[]): Permissions {
  const unique = (filters: string[]) => [...new Set(filters)];
  return {
    publish: unique(all.flatMap(({ publish }) => publish)),
    subscribe: unique(all.flatMap(({ subscribe }) => subscribe)),
  };
}

function filters(value: unknown, key: string, tell: (problem: string) => void): string[] {
  if (value === undefined) return [];
  const all = texts(value, key, tell);
  for (const filter of all) {
    const problem = ruleProblem(filter);
    if (problem !== null) tell(`has ${JSON.stringify(filter)} in ${key}: ${problem}`);
  }
  return all;
}

function texts(value: unknown, key: string, tell: (problem: string) => void): string[] {
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value;
  tell(`has ${key} that are not a list of texts`);
  return [];
}
