import { explain } from '../mqtt/explain.js';
import type { RetainedDue } from '../ports/store.js';
import type { SessionEffect } from './effects.js';
import { filterKey, isDurable, type SessionState } from './state.js';

/** Up to here each is looked for in the list by itself. */
const FEW_DUES = 16;

/** Writes the session row; what comes while a write is under way shares the next. */
export function save(state: SessionState, effects: SessionEffect[]): void {
  if (!isDurable(state)) return answerSaved(state, state.pendingAnswers.length, effects);
  state.dirty = true;
  if (state.saving) return;
  state.saving = true;
  state.dirty = false;
  state.answersSaving = state.pendingAnswers.length;
  effects.push({
    type: 'save-session',
    row: {
      clientId: state.clientId,
      generation: state.generation,
      subscriptions: Object.values(state.subscriptions),
      retainedDue: newestDue([...state.retainedDue, ...state.pendingAnswers.flatMap((answer) => answer.retainedDue)]),
      sequence: state.sequence,
    },
  });
}

/** The save under way is durable: what it covers is answered, and what came meanwhile is saved in turn. */
export function onSaved(state: SessionState, effects: SessionEffect[]): void {
  state.saving = false;
  answerSaved(state, state.answersSaving, effects);
  if (state.dirty) save(state, effects);
  else state.replayUnsaved = false;
}

function answerSaved(state: SessionState, count: number, effects: SessionEffect[]): void {
  for (const answer of state.pendingAnswers.splice(0, count)) {
    // One that was subscribed to again meanwhile stays.
    const filters = answer.removed.filter((filter) => !(filterKey(filter) in state.subscriptions));
    if (filters.length > 0) effects.push({ type: 'unindex', filters });
    const { type, packetId, reasonCodes, reason } = answer;
    const { connection } = state;
    if (connection?.number === answer.connectionNumber) {
      const packet = { type, packetId, reasonCodes };
      const isExplained = reason !== undefined && connection.wantsReasons;
      effects.push({ type: 'send', packet: isExplained ? explain(packet, reason, connection) : packet });
    }
    promiseRetained(state, answer.retainedDue);
    if (state.retainedDue.length > 0 && state.mode === 'live') state.mode = 'draining';
  }
}

/** What a SUBACK promises of retained messages; a filter that is subscribed to again begins anew. */
function promiseRetained(state: SessionState, promised: readonly RetainedDue[]): void {
  if (promised.length === 0) return;
  const due = promised.filter(({ filter }) => filterKey(filter) in state.subscriptions);
  if (due.length > FEW_DUES) {
    state.retainedDue = newestDue([...state.retainedDue, ...due]);
    return;
  }
  // Thousands of SUBSCRIBEs in a row must not each make the whole list anew.
  for (const one of due) {
    const at = state.retainedDue.findIndex(({ filter }) => filter === one.filter);
    if (at >= 0) state.retainedDue.splice(at, 1);
    state.retainedDue.push(one);
  }
}

/** One for a filter, so that however often it is subscribed to, it is read once more at most. */
function newestDue(dues: readonly RetainedDue[]): RetainedDue[] {
  const byFilter = new Map<string, RetainedDue>();
  for (const due of dues) {
    byFilter.delete(due.filter);
    byFilter.set(due.filter, due);
  }
  return [...byFilter.values()];
}
