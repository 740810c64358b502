import { publishTemplate } from '../mqtt/encode.js';
import type { Properties } from '../mqtt/packets.js';
import type { PublishToClient, SessionEffect } from './effects.js';
import { type Delivery, filterKey, type SessionState } from './state.js';

/** Bytes that a topic alias adds to the packet that introduces it. */
const ALIAS_BYTES = 3;

/** Sends a publication under a packet identifier, 0 for QoS 0. `secondsLeft`: of its expiry. */
export function sendPublish(
  state: SessionState,
  delivery: Pick<Delivery, 'publication' | 'qos' | 'retain' | 'identifiers'>,
  sending: { packetId: number; dup: boolean; secondsLeft: number | null },
  effects: SessionEffect[],
): void {
  const { publication, qos, retain, identifiers } = delivery;
  const alias = aliasFor(state, publication.topic);
  effects.push({
    type: 'send-publish',
    publish: { publication, qos, retain, ...sending, ...(identifiers && { identifiers }), ...(alias && { alias }) },
  });
}

/** The packet that says so. */
export function packetOf(publish: Omit<PublishToClient, 'packetId' | 'dup'>) {
  const { publication, qos, retain, secondsLeft, identifiers, alias } = publish;
  const { topic, payload, properties: carried } = publication;
  const properties: Properties | undefined =
    carried || identifiers || alias
      ? {
          ...carried,
          ...(secondsLeft !== null && { messageExpiryInterval: secondsLeft }),
          ...(identifiers && { subscriptionIdentifiers: [...identifiers] }),
          ...(alias && { topicAlias: alias.number }),
        }
      : undefined;
  const isKnown = alias !== undefined && !alias.isNew;
  return { topic: isKnown ? '' : topic, payload, qos, retain, ...(properties && { properties }) };
}

/** A packet over the client's Maximum Packet Size is dropped for that client alone, as if it had been sent [MQTT-3.1.2-25]. */
export function isTooLarge(state: SessionState, delivery: Delivery, secondsLeft: number | null): boolean {
  const { connection } = state;
  if (connection === null || connection.packetMaxBytes === null) return false;
  const { bytes } = publishTemplate(packetOf({ ...delivery, secondsLeft }), connection.level);
  return bytes.length + (connection.topicAliasMaximum > 0 ? ALIAS_BYTES : 0) > connection.packetMaxBytes;
}

/** The first topics that come get the aliases that the client takes; they keep them for the connection. */
function aliasFor(state: SessionState, topic: string): PublishToClient['alias'] {
  const { connection } = state;
  if (connection === null || connection.topicAliasMaximum === 0) return undefined;
  const key = filterKey(topic);
  const known = connection.aliases[key];
  if (known !== undefined) return { number: known, isNew: false };
  if (connection.aliasCount >= connection.topicAliasMaximum) return undefined;
  connection.aliasCount += 1;
  connection.aliases[key] = connection.aliasCount;
  return { number: connection.aliasCount, isNew: true };
}
