import { sessionEndMs } from '../mqtt/expiry.js';
import type { SessionEffect } from './effects.js';
import { handBack } from './hand-back.js';
import type { SessionInput } from './inputs.js';
import { forgetInFlight, inSendingOrder, saveInFlight, setAside } from './set-aside.js';
import { isDurable, type SessionState, sessionDeadline } from './state.js';
import { spill, takeWaiting } from './waiting.js';

/** The connection is over: the session waits for the next one, or ends. */
export function onDisconnected(
  state: SessionState,
  input: Extract<SessionInput, { type: 'disconnected' }>,
  now: number,
  effects: SessionEffect[],
): void {
  if (isDurable(state) && input.sessionExpiryS > 0) {
    handBack(state, (share) => input.shared.includes(share), effects);
    setAside(state, effects);
  } else {
    letGo(state, effects);
  }
  state.connection = null;
  state.mode = 'offline';
  state.stored.pass = 'none';
  state.sessionExpiryS = input.sessionExpiryS;
  leaveAt(state, input.atMs);
  if (input.will === 'discard') state.will = state.willDueMs = null;
  onTicked(state, { type: 'ticked' }, now, effects);
}

/** From when on the session's end and its will are counted; milliseconds since the epoch. */
export function leaveAt(state: SessionState, atMs: number): void {
  const endMs = sessionEndMs(atMs, state.sessionExpiryS);
  state.disconnectedAtMs = atMs;
  state.willDueMs = state.will && Math.min(atMs + state.will.delayS * 1000, endMs);
}

export function onTicked(state: SessionState, _input: { type: 'ticked' }, now: number, effects: SessionEffect[]): void {
  const deadline = sessionDeadline(state);
  if (deadline === null || now < deadline) return;
  if (state.will !== null && state.willDueMs !== null && now >= state.willDueMs) {
    const inDoubtSinceMs = state.willInDoubt ? state.disconnectedAtMs : null;
    effects.push({ type: 'publish-will', will: state.will, inDoubtSinceMs });
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
function letGo(state: SessionState, effects: SessionEffect[]): void {
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

/** A client that does not answer must not hold up the checkpoint: what it is owed is saved, or left to its connection alone. */
function saveUnanswered(state: SessionState, now: number, effects: SessionEffect[]): void {
  const oldest = now - state.limits.unsavedMaxMs;
  const unsaved = inSendingOrder(state).filter((entry) => !entry.settled);
  const late = unsaved.filter((entry) => entry.sentAtMs <= oldest);
  const isWaitingLate = state.waiting.some((delivery) => delivery.held && delivery.sinceMs <= oldest);
  if (isDurable(state)) {
    // With all that was sent before: after a crash the later may not go first.
    const last = late.at(-1)?.order ?? 0;
    saveInFlight(
      state,
      inSendingOrder(state).filter((entry) => entry.order <= last),
      effects,
    );
    // All of it, or what comes later would be sent before.
    if (isWaitingLate) spill(state, effects);
  } else {
    for (const entry of late) {
      entry.settled = true;
      effects.push({ type: 'settle', place: entry.origin });
    }
    for (const delivery of state.waiting.filter(({ held, sinceMs }) => held && sinceMs <= oldest)) {
      delivery.held = false;
      effects.push({ type: 'settle', place: delivery });
    }
  }
  const since = [
    ...unsaved.filter((entry) => !entry.settled).map((entry) => entry.sentAtMs),
    ...state.waiting.filter((delivery) => delivery.held).map((delivery) => delivery.sinceMs),
  ];
  state.unsavedSinceMs = since.length === 0 ? null : since.reduce((least, atMs) => Math.min(least, atMs));
}
