import type { Subscribe, Unsubscribe } from '../mqtt/packets.js';
import { REASON, refusal } from '../mqtt/reason-codes.js';
import type { Effect } from './effects.js';
import { refuse } from './refuse.js';
import type { ConnectionState } from './state.js';

/** Subscriptions are session state: the shard saves them and answers. */
export function onSubscribe(state: ConnectionState, packet: Subscribe, now: number, effects: Effect[]): void {
  if (packet.properties?.subscriptionIdentifiers !== undefined) {
    const text = 'a subscription identifier, which CONNACK said are not available';
    return refuse(state, refusal(REASON.subscriptionIdentifiersNotSupported, 'section 3.2.2.3.12', text), now, effects);
  }
  effects.push({
    type: 'tell-session',
    command: {
      type: 'subscribe',
      clientId: state.clientId,
      connectionNumber: state.connectionNumber,
      packetId: packet.packetId,
      subscriptions: packet.subscriptions,
    },
  });
}

export function onUnsubscribe(state: ConnectionState, packet: Unsubscribe, _now: number, effects: Effect[]): void {
  effects.push({
    type: 'tell-session',
    command: {
      type: 'unsubscribe',
      clientId: state.clientId,
      connectionNumber: state.connectionNumber,
      packetId: packet.packetId,
      filters: packet.filters,
    },
  });
}
