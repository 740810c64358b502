import type { Acknowledgement } from '../mqtt/packets.js';
import { REASON, refusal } from '../mqtt/reason-codes.js';
import { endExchange } from './answers.js';
import { throttle } from './back-pressure.js';
import type { Effect } from './effects.js';
import { refuse } from './refuse.js';
import type { ConnectionState } from './state.js';

/** The client has its PUBREC: the packet identifier is given up, then PUBCOMP. */
export function onPubrel(state: ConnectionState, packet: Acknowledgement, now: number, effects: Effect[]): void {
  const { packetId } = packet;
  if (state.exchanges[packetId] === 'unanswered') {
    const why = refusal(REASON.protocolError, 'MQTT-4.3.3-6', 'PUBREL before PUBREC');
    return refuse(state, why, now, effects);
  }
  if (state.keepsInbound) {
    state.appends += 1;
    effects.push({ type: 'end-inbound', packetId });
    return throttle(state, effects);
  }
  const reasonCode = state.exchanges[packetId] ? REASON.success : REASON.packetIdentifierNotFound;
  endExchange(state, packetId);
  effects.push({ type: 'send', packet: { type: 'pubcomp', packetId, reasonCode } });
}
