import { publishTemplate } from '../mqtt/encode.js';
import type { Properties } from '../mqtt/packets.js';
import { publicationBytes } from '../topics/publication.js';
import type { Delivery } from './delivery.js';
import type { PublishToClient, SessionEffect } from './effects.js';
import { filterKey, type SessionState } from './state.js';

/** Bytes that a topic alias adds to the packet that introduces it: itself, and what the two lengths may grow by. */
const ALIAS_BYTES = 3 + 2;
/** All of a PUBLISH but topic, payload and properties, and more than that. */
const REST_BYTES = 64;
/** UTF-8 has at most as many bytes for a UTF-16 code unit. */
const UTF8_BYTES_MAX = 3;
const IDENTIFIER_BYTES = 5;

type Outgoing = Pick<Delivery, 'publication' | 'qos' | 'retain' | 'identifiers'>;

/** Sends a publication as it is to go out, but for its alias. */
export function sendPublish(state: SessionState, publish: PublishToClient, effects: SessionEffect[]): void {
  const alias = hasRoomForAlias(state, publish, publish.secondsLeft)
    ? aliasFor(state, publish.publication.topic)
    : undefined;
  if (alias !== undefined) publish.alias = alias;
  effects.push({ type: 'send-publish', publish });
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
export function isTooLarge(state: SessionState, outgoing: Outgoing, secondsLeft: number | null): boolean {
  return exceeds(state, outgoing, secondsLeft, 0);
}

/** Introducing an alias must not make the packet too large. */
function hasRoomForAlias(state: SessionState, outgoing: Outgoing, secondsLeft: number | null): boolean {
  const takesAliases = state.connection !== null && state.connection.topicAliasMaximum > 0;
  return takesAliases && !exceeds(state, outgoing, secondsLeft, ALIAS_BYTES);
}

function exceeds({ connection }: SessionState, outgoing: Outgoing, secondsLeft: number | null, more: number): boolean {
  if (connection === null || connection.packetMaxBytes === null) return false;
  const { publication, identifiers = [] } = outgoing;
  const bytesAtMost =
    publicationBytes(publication) * UTF8_BYTES_MAX + identifiers.length * IDENTIFIER_BYTES + REST_BYTES;
  // Most are far below: no need to encode them to know.
  if (bytesAtMost + more <= connection.packetMaxBytes) return false;
  const { bytes } = publishTemplate(packetOf({ ...outgoing, secondsLeft }), connection.level);
  return bytes.length + more > connection.packetMaxBytes;
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
