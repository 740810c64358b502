import type { Disconnect } from '../mqtt/packets.js';
import { REASON, refusal } from '../mqtt/reason-codes.js';
import type { Effect } from './effects.js';
import { leave, refuse } from './refuse.js';
import type { ConnectionState } from './state.js';

/** A clean end: no will, unless MQTT 5 asks for it with 0x04 [MQTT-3.14.4-3]. */
export function onDisconnect(state: ConnectionState, packet: Disconnect, now: number, effects: Effect[]): void {
  const expiryS = packet.properties?.sessionExpiryInterval;
  if (expiryS !== undefined) {
    const { sessionExpiryMaxS } = state.limits;
    // Where the limit is 0, a client that asked for more at CONNECT has 0 as well, and may ask again.
    if (state.sessionExpiryS === 0 && expiryS !== 0 && sessionExpiryMaxS > 0) {
      const text = 'a Session Expiry Interval at DISCONNECT that was 0 at CONNECT';
      return refuse(state, refusal(REASON.protocolError, 'section 3.14.2.2.2', text), now, effects);
    }
    state.sessionExpiryS = Math.min(expiryS, sessionExpiryMaxS);
  }
  // Any reason but Normal Disconnection leaves the will in force (section 3.1.2.5).
  leave(state, packet.reasonCode === REASON.normalDisconnection ? 'discard' : 'publish', now, effects);
  effects.push({ type: 'close', reason: 'normal' });
  state.phase = 'closed';
}
