import { sessionEndMs } from '../mqtt/expiry.js';
import type { SessionEffect } from './effects.js';
import { endSession } from './ending.js';
import { inSendingOrder, saveInFlight } from './set-aside.js';
import { isDurable, type SessionState, sessionDeadline } from './state.js';
import { spill } from './waiting.js';

/** Time has passed: a will may be due, the session over, or something unanswered for too long. */
export function onTicked(state: SessionState, _input: { type: 'ticked' }, now: number, effects: SessionEffect[]): void {
  const deadline = sessionDeadline(state);
  if (deadline === null || now < deadline) return;
  if (state.will !== null && state.willDueMs !== null && now >= state.willDueMs) {
    effects.push({ type: 'publish-will', will: state.will });
    state.will = state.willDueMs = null;
  }
  if (state.disconnectedAtMs !== null && now >= sessionEndMs(state.disconnectedAtMs, state.sessionExpiryS)) {
    // With an expiry of 0 the row says already that it cannot be resumed; else a CONNECT may be winning it right now.
    if (!isDurable(state)) return endSession(state, effects);
    if (!state.releasing) effects.push({ type: 'release-presence' });
    state.releasing = true;
  }
  if (state.unsavedSinceMs !== null && now >= state.unsavedSinceMs + state.limits.unsavedMaxMs) {
    saveUnanswered(state, now, effects);
  }
}

/**
 * A client that does not answer must not hold up the checkpoint: what it is owed is saved. Of a session that ends with its
 * connection that is what others of a share get after it.
 */
function saveUnanswered(state: SessionState, now: number, effects: SessionEffect[]): void {
  const oldest = now - state.limits.unsavedMaxMs;
  const unsaved = inSendingOrder(state).filter((entry) => !entry.settled);
  const late = unsaved.filter((entry) => entry.sentAtMs <= oldest);
  const isWaitingLate = state.waiting.some((delivery) => delivery.held && delivery.sinceMs <= oldest);
  // With all that was sent before: after a crash the later may not go first.
  const last = late.at(-1)?.order ?? 0;
  const owed = isDurable(state) ? inSendingOrder(state) : unsaved;
  saveInFlight(
    state,
    owed.filter((entry) => entry.order <= last),
    effects,
  );
  // All of it, or what comes later would be sent before.
  if (isWaitingLate) spill(state, effects);
  const since = [
    ...unsaved.filter((entry) => !entry.settled).map((entry) => entry.sentAtMs),
    ...state.waiting.filter((delivery) => delivery.held).map((delivery) => delivery.sinceMs),
  ];
  state.unsavedSinceMs = since.length === 0 ? null : since.reduce((least, atMs) => Math.min(least, atMs));
}
