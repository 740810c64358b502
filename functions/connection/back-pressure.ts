import type { Effect } from './effects.js';
import { type ConnectionState, isOver } from './state.js';

/** Keeps what one client has under way within bounds, by not reading its socket. */
export function throttle(state: ConnectionState, effects: Effect[]): void {
  const { appendsMax, appendsMaxBytes } = state.limits;
  if (!state.paused && (state.appends >= appendsMax || state.appendBytes >= appendsMaxBytes)) {
    state.paused = true;
    effects.push({ type: 'pause-reading' });
    effects.push({ type: 'count', name: 'clients-held-back' });
  } else if (state.paused && state.appends <= appendsMax / 2 && state.appendBytes <= appendsMaxBytes / 2) {
    state.paused = false;
    resume(state, effects);
  }
}

/** A publication does not burden the log any more. */
export function releaseTaken(state: ConnectionState, bytes: number, now: number, effects: Effect[]): void {
  state.appends -= 1;
  state.appendBytes -= bytes;
  const wasPaused = state.paused;
  throttle(state, effects);
  // Silence while the socket was not read is not the client's.
  if (wasPaused && !state.paused) state.lastReceivedAtMs = now;
}

/** Lets the socket be read, where nothing speaks against it. */
export function resume(state: ConnectionState, effects: Effect[]): void {
  if (!state.paused && !state.yielding && !isOver(state)) effects.push({ type: 'resume-reading' });
}
