import type { Acknowledgement } from '../mqtt/packets.js';
import type { Effect } from './effects.js';
import type { ConnectionState } from './state.js';

/** The client's answer to a publication it was sent is the session's business. */
export function onAcknowledgement(
  state: ConnectionState,
  packet: Acknowledgement,
  _now: number,
  effects: Effect[],
): void {
  effects.push({
    type: 'tell-session',
    command: {
      type: 'acknowledged',
      clientId: state.clientId,
      connectionNumber: state.connectionNumber,
      answer: packet.type,
      packetId: packet.packetId,
      reasonCode: packet.reasonCode,
    },
  });
}
