import type { SessionEffect } from './effects.js';
import { handBack } from './hand-back.js';
import { forgetInFlight } from './set-aside.js';
import type { SessionState } from './state.js';
import { takeWaiting } from './waiting.js';

export function onPresenceReleased(
  state: SessionState,
  input: { type: 'presence-released'; released: boolean },
  _now: number,
  effects: SessionEffect[],
): void {
  const isOver = state.releasing && input.released;
  state.releasing = false;
  if (isOver) endSession(state, effects);
}

/** Nothing of it is left to anybody: subscriptions, queue, what was in flight. The will has gone out. */
export function endSession(state: SessionState, effects: SessionEffect[]): void {
  // What an UNSUBSCRIBE has removed is in the index until that is saved.
  const leaving = state.pendingAnswers.flatMap((answer) => answer.removed);
  const filters = [...Object.values(state.subscriptions).map((row) => row.filter), ...leaving];
  if (filters.length > 0) effects.push({ type: 'unindex', filters });
  letGo(state, effects);
  effects.push({ type: 'end-session', stored: state.wasDurable || state.stored.used });
  state.mode = 'ended';
}

/** The checkpoint waits for nothing of this session any more. */
export function letGo(state: SessionState, effects: SessionEffect[]): void {
  handBack(state, () => true, effects);
  for (const delivery of takeWaiting(state)) {
    if (delivery.held) effects.push({ type: 'settle', place: delivery });
  }
  for (const entry of Object.values(state.inFlight)) {
    if (!entry.settled) effects.push({ type: 'settle', place: entry.origin });
  }
  forgetInFlight(state);
  state.unsavedSinceMs = null;
}
