import { sessionEndMs } from '../mqtt/expiry.js';
import type { SessionEffect } from './effects.js';
import { letGo } from './ending.js';
import { handBack } from './hand-back.js';
import type { SessionInput } from './inputs.js';
import { onTicked } from './on-ticked.js';
import { setAside } from './set-aside.js';
import { isDurable, type SessionState } from './state.js';

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
