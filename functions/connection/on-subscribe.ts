import type { Subscribe, Unsubscribe } from '../mqtt/packets.js';
import { maySubscribe } from '../topics/permissions.js';
import { FROM_PROPERTY } from '../topics/replay-from.js';
import type { Effect } from './effects.js';
import type { ConnectionState } from './state.js';

/** Subscriptions are session state: the shard saves them and answers, for those too that the client may not have. */
export function onSubscribe(state: ConnectionState, packet: Subscribe, _now: number, effects: Effect[]): void {
  const { permissions } = state;
  const denied = permissions && packet.subscriptions.map(({ filter }) => !maySubscribe(permissions.subscribe, filter));
  effects.push({
    type: 'tell-session',
    command: {
      type: 'subscribe',
      clientId: state.clientId,
      connectionNumber: state.connectionNumber,
      packetId: packet.packetId,
      subscriptions: packet.subscriptions,
      identifier: packet.properties?.subscriptionIdentifiers?.[0] ?? null,
      from: replayFrom(packet),
      ...(denied?.includes(true) && { denied }),
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

/** What the user property says; said more than once, it is nothing that can be understood. */
function replayFrom({ properties }: Subscribe): string | null {
  const said = (properties?.userProperties ?? []).filter(([name]) => name === FROM_PROPERTY);
  return said.length === 0 ? null : said.map(([, value]) => value).join(', ');
}
