import { maySubscribe } from '../topics/permissions.js';
import type { SessionEffect } from './effects.js';
import { save } from './saving.js';
import { filterKey, type SessionState } from './state.js';

/**
 * Takes away what an earlier connection of the session might subscribe to and this one may not. What the session is owed
 * already it still gets: that was published while it was allowed.
 */
export function revoke(state: SessionState, allowed: readonly string[], effects: SessionEffect[]): void {
  const filters = Object.values(state.subscriptions)
    .map(({ filter }) => filter)
    .filter((filter) => !maySubscribe(allowed, filter));
  if (filters.length === 0) return;
  for (const filter of filters) {
    delete state.subscriptions[filterKey(filter)];
    state.subscriptionCount -= 1;
    state.subscriptionBytes -= filter.length;
  }
  const revoked = new Set(filters);
  state.replaying = state.replaying.filter((filter) => !revoked.has(filter));
  state.retainedDue = state.retainedDue.filter((due) => !revoked.has(due.filter));
  effects.push({ type: 'unindex', filters });
  effects.push({ type: 'count', name: 'subscriptions-revoked', by: filters.length });
  save(state, effects);
}
