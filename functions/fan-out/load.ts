import type { OutboundKey, OutboundRow, PresenceRow, SessionRow } from '../ports/store.js';
import { leaveAt } from '../session/on-disconnected.js';
import { orderOf, placeText } from '../session/places.js';
import { filterKey, initialSession, type SessionLimits, type SessionState } from '../session/state.js';

/** What the store has of a session. */
export interface LoadedSession {
  /** With `disconnectedAtMs` set: whoever had the connection has lost it. */
  presence: PresenceRow & { disconnectedAtMs: number };
  session: SessionRow | null;
  /** Rows in flight, all of them, in order. */
  inFlight: readonly OutboundRow[];
  /** What the queue holds; `places`: those that replay may come upon again. */
  queued: { messages: number; bytes: number; places: readonly OutboundKey[] };
}

export function restoreSession(loaded: LoadedSession, limits: SessionLimits): SessionState {
  const { presence, session, inFlight, queued } = loaded;
  const state = initialSession({ clientId: presence.clientId, generation: presence.generation, limits });
  // What connections until then have told and nobody has heard is not this session's any more.
  state.connectionNumber = presence.connectionNumber;
  state.sessionExpiryS = presence.sessionExpiryS;
  state.wasDurable = true;
  state.will = presence.will;
  leaveAt(state, presence.disconnectedAtMs);
  if (session !== null && session.generation === presence.generation) {
    for (const row of session.subscriptions) state.subscriptions[filterKey(row.filter)] = row;
    state.subscriptionCount = session.subscriptions.length;
    state.subscriptionBytes = session.subscriptions.reduce((sum, { filter }) => sum + filter.length, 0);
    state.replaying = session.subscriptions.flatMap(({ filter, replay }) => (replay ? [filter] : []));
    state.retainedDue = session.retainedDue;
    state.sequence = state.knownSequence = session.sequence;
  }
  for (const row of inFlight) {
    state.known[placeText(row.origin)] = true;
    state.nextOrder = Math.max(state.nextOrder, orderOf(row) + 1);
  }
  for (const place of queued.places) state.known[placeText(place)] = true;
  state.knownCount = inFlight.length + queued.places.length;
  state.stored.used = inFlight.length > 0 || queued.messages > 0;
  state.stored.messages = queued.messages;
  state.stored.bytes = queued.bytes;
  return state;
}
