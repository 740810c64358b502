import { LEVELS } from '../mqtt/levels.js';
import { SESSION_NEVER_EXPIRES_S } from '../mqtt/limits.js';
import type { Connect } from '../mqtt/packets.js';
import { REASON, refusal } from '../mqtt/reason-codes.js';
import { isServersOwn } from '../topics/names.js';
import type { Effect } from './effects.js';
import { refuse } from './refuse.js';
import type { ConnectionState } from './state.js';

/** CONNECT is well formed; whether it is allowed is asked next, and nothing is read until that is known. */
export function onConnect(state: ConnectionState, connect: Connect, now: number, effects: Effect[]): void {
  state.level = connect.level;
  state.connect = connect;
  state.takesMaxBytes = connect.properties?.maximumPacketSize ?? null;
  state.wantsReasons = connect.properties?.requestProblemInformation !== 0;
  if (connect.properties?.authenticationMethod !== undefined) {
    const why = refusal(REASON.badAuthenticationMethod, 'MQTT-4.12.0-1', 'no authentication method is supported');
    return refuse(state, why, now, effects);
  }
  if (connect.will && isServersOwn(connect.will.topic)) {
    return refuse(
      state,
      refusal(REASON.notAuthorized, 'section 4.7.2', 'a will under $SYS, which is the server’s own'),
      now,
      effects,
    );
  }
  const bringsId = connect.clientId !== '';
  const rules = LEVELS[connect.level];
  if (!bringsId && !(rules.assignsClientId && (connect.cleanStart || rules.sessionExpiry))) {
    const why = refusal(
      REASON.clientIdentifierNotValid,
      'MQTT-3.1.3-8',
      'an empty client identifier without a clean session',
    );
    return refuse(state, why, now, effects);
  }
  state.clientId = bringsId ? connect.clientId : state.spareClientId;
  state.spareClientId = '';
  state.sessionExpiryS = Math.min(askedExpiryS(connect), state.limits.sessionExpiryMaxS);
  state.keepAliveMs = agreedKeepAliveS(state, connect) * 1000;
  state.phase = 'authenticating';
  effects.push({ type: 'pause-reading' });
  effects.push({
    type: 'authenticate',
    clientId: state.clientId,
    username: connect.username,
    password: connect.password,
    token: state.token ?? undefined,
  });
}

/** Seconds. Before MQTT 5 a session without Clean Session has no end (section 3.1.2.4 of 3.1.1). */
function askedExpiryS(connect: Connect): number {
  if (LEVELS[connect.level].sessionExpiry) return connect.properties?.sessionExpiryInterval ?? 0;
  return connect.cleanStart ? 0 : SESSION_NEVER_EXPIRES_S;
}

/** Only MQTT 5 can be told of another Keep Alive than it asked for [MQTT-3.1.2-21]. */
function agreedKeepAliveS(state: ConnectionState, connect: Connect): number {
  const { keepAliveMaxS: longestS, keepAliveFixedS } = state.limits;
  if (!LEVELS[connect.level].properties) return connect.keepAlive;
  if (keepAliveFixedS !== undefined) return keepAliveFixedS;
  if (longestS === 0) return connect.keepAlive;
  return connect.keepAlive === 0 ? longestS : Math.min(connect.keepAlive, longestS);
}
