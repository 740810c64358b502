import type { Connected } from '../ports/session-commands.js';
import { beginPass, drain } from './backlog.js';
import type { SessionEffect } from './effects.js';
import { revoke } from './revoke.js';
import { setAside } from './set-aside.js';
import { isDurable, type SessionState } from './state.js';

/** The client is here, for the first time or again: what it is owed goes out before anything new [MQTT-4.4.0-1]. */
export function onConnected(state: SessionState, input: Connected, now: number, effects: SessionEffect[]): void {
  // Taken over without a word from the old connection: what it had in flight is resent by the new one.
  if (state.connection !== null) setAside(state, effects);
  state.connectionNumber = input.connectionNumber;
  state.connection = {
    number: input.connectionNumber,
    level: input.level,
    receiveMaximum: input.receiveMaximum,
    packetMaxBytes: input.packetMaxBytes,
    wantsReasons: input.wantsReasons,
    topicAliasMaximum: Math.min(input.topicAliasMaximum, state.limits.topicAliasMaximum),
    aliases: {},
    aliasCount: 0,
  };
  state.disconnectedAtMs = null;
  state.releasing = false;
  state.sessionExpiryS = input.sessionExpiryS;
  state.wasDurable ||= isDurable(state);
  // Wills that earlier connections left are in `leftWills` if they are due; otherwise resuming has cancelled them.
  state.will = input.will;
  state.willDueMs = null;
  for (const will of input.leftWills) effects.push({ type: 'publish-will', will });
  if (input.maySubscribe !== undefined) revoke(state, input.maySubscribe, effects);
  beginPass(state);
  drain(state, now, effects);
}
