import type { Will } from '../mqtt/packets.js';
import { REASON, refusal } from '../mqtt/reason-codes.js';
import { mayPublish } from '../topics/permissions.js';
import type { Claim, Effect } from './effects.js';
import type { Input } from './inputs.js';
import { refuse } from './refuse.js';
import type { ConnectionState } from './state.js';

const REFUSALS = {
  refused: refusal(REASON.badUserNameOrPassword, 'section 3.2.2.2', 'bad user name or password'),
  'not-authorized': refusal(REASON.notAuthorized, 'section 3.2.2.2', 'not authorized'),
  unavailable: refusal(REASON.serverUnavailable, 'section 3.2.2.2', 'the authenticator cannot be reached'),
} as const;

const WILL_DENIED = refusal(REASON.notAuthorized, 'section 3.2.2.2', 'a will that the client may not publish');

/** Admitted: next the presence row decides who has the client identifier. */
export function onAuthenticated(
  state: ConnectionState,
  input: Extract<Input, { type: 'authenticated' }>,
  now: number,
  effects: Effect[],
): void {
  if (input.verdict !== 'admitted') return refuse(state, REFUSALS[input.verdict], now, effects);
  const { connect } = state;
  if (connect === null) throw new Error('authenticated without a CONNECT');
  delete connect.password;
  state.token = null;
  state.expiresAtMs = input.expiresAtMs ?? null;
  state.permissions = input.permissions ?? null;
  // Said now: when the will is due, there is nobody left to be told.
  if (connect.will && state.permissions && !mayPublish(state.permissions, connect.will.topic)) {
    return refuse(state, WILL_DENIED, now, effects);
  }
  state.phase = 'claiming';
  effects.push({
    type: 'claim',
    claim: {
      clientId: state.clientId,
      cleanStart: connect.cleanStart,
      sessionExpiryS: state.sessionExpiryS,
      will: connect.will ? waitingWill(connect.will, state.clientId, now) : null,
    },
  });
}

function waitingWill(will: Will, clientId: string, now: number): NonNullable<Claim['will']> {
  const { willDelayInterval, ...carried } = will.properties ?? {};
  return {
    publication: {
      topic: will.topic,
      payload: will.payload,
      qos: will.qos,
      retain: will.retain,
      ...(Object.keys(carried).length > 0 && { properties: carried }),
      publisher: clientId,
      publishedAtMs: now,
    },
    delayS: willDelayInterval ?? 0,
  };
}
