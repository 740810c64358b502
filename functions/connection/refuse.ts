import { explain } from '../mqtt/explain.js';
import { LEVELS } from '../mqtt/levels.js';
import type { Connack, Disconnect } from '../mqtt/packets.js';
import { REASON, type Refusal } from '../mqtt/reason-codes.js';
import type { CloseReason } from '../ports/peer.js';
import type { Effect } from './effects.js';
import type { ConnectionState } from './state.js';

/**
 * Ends the connection because of what the client did, in the way that its level has: CONNACK with a reason while it waits
 * for one, DISCONNECT with a reason in MQTT 5, and else just the close (section 4.13).
 */
export function refuse(
  state: ConnectionState,
  why: Refusal,
  now: number,
  effects: Effect[],
  reason: CloseReason = closeReason(why.reasonCode),
): void {
  effects.push({ type: 'count', name: 'connections-refused' });
  effects.push({ type: 'report', level: 'info', event: 'connection-refused', clause: why.clause, text: why.text });
  if (state.phase === 'connected') leave(state, 'publish', now, effects);
  close(state, why, reason, effects);
}

/** Closes, saying why where the level can. Whether the presence row is to be left is the caller's to say. */
export function close(state: ConnectionState, why: Refusal, reason: CloseReason, effects: Effect[]): void {
  const farewell = farewellOf(state, why.reasonCode);
  if (farewell !== null && state.level !== null) {
    const takes = { level: state.level, packetMaxBytes: state.takesMaxBytes };
    effects.push({ type: 'send', packet: explain(farewell, `${why.text} [${why.clause}]`, takes) });
  }
  effects.push({ type: 'close', reason });
  over(state);
}

function farewellOf(state: ConnectionState, reasonCode: number): Disconnect | Connack | null {
  if (state.level === null) return null;
  if (state.phase === 'connected')
    return LEVELS[state.level].serverDisconnect ? { type: 'disconnect', reasonCode } : null;
  // A DISCONNECT may not precede the CONNACK [MQTT-3.14.0-1].
  return { type: 'connack', sessionPresent: false, reasonCode: connackReason(reasonCode) };
}

/** Two reasons are DISCONNECT's alone; a CONNACK that means them says "try again" [MQTT-3.2.2-8]. */
function connackReason(reasonCode: number): number {
  const isUnknown = reasonCode === REASON.serverShuttingDown || reasonCode === REASON.maximumConnectTime;
  return isUnknown ? REASON.serverUnavailable : reasonCode;
}

/** The socket is gone or going; a presence row that is being written has still to be given back. */
export function over(state: ConnectionState): void {
  state.phase = state.phase === 'claiming' ? 'abandoned' : 'closed';
}

/** The presence row was ours: say that we are gone. */
export function leave(state: ConnectionState, will: 'publish' | 'discard', now: number, effects: Effect[]): void {
  effects.push({ type: 'leave', sessionExpiryS: state.sessionExpiryS, will, atMs: now });
}

function closeReason(reasonCode: number): CloseReason {
  switch (reasonCode) {
    case REASON.packetTooLarge:
      return 'too-big';
    case REASON.serverShuttingDown:
      return 'going-away';
    case REASON.keepAliveTimeout:
    case REASON.maximumConnectTime:
    case REASON.sessionTakenOver:
      return 'normal';
    case REASON.badUserNameOrPassword:
    case REASON.notAuthorized:
    case REASON.banned:
    case REASON.quotaExceeded:
      return 'policy';
    case REASON.serverUnavailable:
    case REASON.implementationSpecific:
    case REASON.unspecifiedError:
      return 'internal-error';
    default:
      return 'protocol-error';
  }
}
