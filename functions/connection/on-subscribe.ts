import type { Subscribe, Unsubscribe } from '../mqtt/packets.js';
import { REASON } from '../mqtt/reason-codes.js';
import { parseShared } from '../topics/names.js';
import { maySubscribe } from '../topics/permissions.js';
import { FROM_PROPERTY } from '../topics/replay-from.js';
import type { Effect } from './effects.js';
import type { ConnectionState } from './state.js';

/** Subscriptions are session state: the shard saves them and answers, for those too that the client may not have. */
export function onSubscribe(state: ConnectionState, packet: Subscribe, _now: number, effects: Effect[]): void {
  const denied = packet.subscriptions.map(({ filter }) => denialOf(state, filter));
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
      ...(denied.some((code) => code > 0) && { denied }),
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

function denialOf({ permissions, limits }: ConnectionState, filter: string): number {
  if (limits.noShares && parseShared(filter) !== null) return REASON.sharedSubscriptionsNotSupported;
  return permissions && !maySubscribe(permissions.subscribe, filter) ? REASON.notAuthorized : 0;
}

/** What the user property says; said more than once, it is nothing that can be understood. */
function replayFrom({ properties }: Subscribe): string | null {
  const said = (properties?.userProperties ?? []).filter(([name]) => name === FROM_PROPERTY);
  return said.length === 0 ? null : said.map(([, value]) => value).join(', ');
}
