import { REASON, refusal } from '../mqtt/reason-codes.js';
import type { Effect } from './effects.js';
import type { Input } from './inputs.js';
import { close, leave, over, refuse } from './refuse.js';
import type { ConnectionState } from './state.js';

const TAKEN_OVER = refusal(REASON.sessionTakenOver, 'MQTT-3.1.4-3', 'another connection has the client identifier');
const SHARD_MOVED = refusal(REASON.administrativeAction, 'section 3.14.2.1', 'the session has moved: come again');
const SHUTTING_DOWN = refusal(REASON.serverShuttingDown, 'section 3.14.2.1', 'the server is shutting down');

/** The socket is gone without a DISCONNECT: the will is due [MQTT-3.1.2-8]. */
export function onPeerClosed(state: ConnectionState, _input: Input, now: number, effects: Effect[]): void {
  if (state.phase === 'connected') leave(state, 'publish', now, effects);
  over(state);
}

export function onPeerRefused(
  state: ConnectionState,
  input: Extract<Input, { type: 'peer-refused' }>,
  now: number,
  effects: Effect[],
): void {
  const why =
    input.reason === 'too-big'
      ? refusal(REASON.packetTooLarge, 'section 4.13', input.text)
      : refusal(REASON.protocolError, 'MQTT-6.0.0-1', input.text);
  refuse(state, why, now, effects, input.reason);
}

/** The presence row is the winner's by now, so nothing is written into it [MQTT-3.1.4-3]. */
export function onTakenOver(state: ConnectionState, _input: Input, _now: number, effects: Effect[]): void {
  close(state, TAKEN_OVER, 'normal', effects);
}

export function onShuttingDown(state: ConnectionState, _input: Input, now: number, effects: Effect[]): void {
  if (state.phase === 'connected') leave(state, 'publish', now, effects);
  close(state, SHUTTING_DOWN, 'going-away', effects);
}

export function onShardMoved(state: ConnectionState, _input: Input, now: number, effects: Effect[]): void {
  if (state.phase === 'connected') leave(state, 'publish', now, effects);
  close(state, SHARD_MOVED, 'going-away', effects);
}
