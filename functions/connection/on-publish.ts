import { LEVELS } from '../mqtt/levels.js';
import type { Publish } from '../mqtt/packets.js';
import { REASON, type Refusal, refusal } from '../mqtt/reason-codes.js';
import { isServersOwn } from '../topics/names.js';
import { mayPublish } from '../topics/permissions.js';
import { type Publication, publicationBytes } from '../topics/publication.js';
import { answerDone, beginExchange, issueAppend, issueReady } from './answers.js';
import { throttle } from './back-pressure.js';
import type { Effect } from './effects.js';
import { refuse } from './refuse.js';
import type { ConnectionState } from './state.js';

/** To the log; the answer waits for `appended`. */
export function onPublish(state: ConnectionState, packet: Publish, now: number, effects: Effect[]): void {
  const topic = topicOf(state, packet);
  if (typeof topic !== 'string') return refuse(state, topic, now, effects);
  if (packet.qos === 2 && isRepeated(state, packet.packetId, effects)) return;
  if (packet.qos > 0 && exceedsReceiveMaximum(state)) {
    const why = refusal(
      REASON.receiveMaximumExceeded,
      'section 3.3.4',
      'more publications unanswered than Receive Maximum',
    );
    return refuse(state, why, now, effects);
  }
  const publication = publicationOf(state, packet, topic, now);
  const denied = denialOf(state, topic);
  if (denied !== null) return turnAway(state, packet, publication, denied, effects);
  const bytes = publicationBytes(publication);
  state.appends += 1;
  state.appendBytes += bytes;
  if (packet.qos === 0) {
    issueAppend(0, 0, { bytes, publication }, effects);
  } else {
    const { qos, packetId } = packet;
    const line = state.lines[qos];
    const reference = line.first + line.entries.length;
    const isKept = qos === 2 && state.keepsInbound;
    if (qos === 2) {
      beginExchange(state, packetId);
      publication.token = `${state.clientId}:${state.connectionNumber}:${reference}`;
    }
    line.entries.push({
      packetId,
      status: isKept ? 'beginning' : 'ready',
      bytes,
      reasonCode: REASON.success,
      publication,
    });
    // Of a session that begins and ends with its connection nobody would ever read the row.
    if (isKept) {
      const { token = '' } = publication;
      effects.push({ type: 'begin-inbound', reference, packetId, token, begunAtMs: now });
    }
    issueReady(state, qos, effects);
  }
  throttle(state, effects);
}

function denialOf({ permissions }: ConnectionState, topic: string): string | null {
  if (isServersOwn(topic)) return 'topics under $SYS are the server’s own [section 4.7.2]';
  return permissions === null || mayPublish(permissions, topic) ? null : 'the client may not publish to this topic';
}

/**
 * A topic that the client may not publish to. MQTT 5 is told; an older client gets its usual answer, because closing would
 * only make it try again for ever [MQTT-3.3.5-2].
 */
function turnAway(
  state: ConnectionState,
  packet: Publish,
  publication: Publication,
  text: string,
  effects: Effect[],
): void {
  effects.push({ type: 'count', name: 'publications-refused' });
  effects.push({ type: 'report', level: 'warn', event: 'publication-refused', text });
  const { qos, packetId } = packet;
  if (qos === 0) return;
  const canBeTold = state.level !== null && LEVELS[state.level].reasonCodes;
  const reasonCode = canBeTold ? REASON.notAuthorized : REASON.success;
  if (qos === 2) beginExchange(state, packetId);
  state.lines[qos].entries.push({ packetId, status: 'done', bytes: 0, reasonCode, reason: text, publication });
  answerDone(state, qos, effects);
}

/** A client below MQTT 5 cannot be told of a bound; it is held back by not being read. */
function exceedsReceiveMaximum(state: ConnectionState): boolean {
  const canBeTold = state.level !== null && LEVELS[state.level].properties;
  return canBeTold && state.lines[1].entries.length + state.exchangeCount >= state.limits.receiveMaximum;
}

/**
 * A QoS 2 packet identifier in use is the same publication again, whatever DUP says [MQTT-4.3.3-10]: before its PUBREC it
 * waits on, after it gets the PUBREC again.
 */
function isRepeated(state: ConnectionState, packetId: number, effects: Effect[]): boolean {
  const exchange = state.exchanges[packetId];
  if (exchange === 'received') {
    effects.push({ type: 'send', packet: { type: 'pubrec', packetId, reasonCode: REASON.success } });
  }
  return exchange !== undefined;
}

/** The topic that the packet names, by itself or by an alias that this packet or an earlier one gave it (section 3.3.2.3.4). */
function topicOf(state: ConnectionState, packet: Publish): string | Refusal {
  const alias = packet.properties?.topicAlias;
  if (alias === undefined) return packet.topic;
  if (alias > state.limits.topicAliasMaximum) {
    return refusal(REASON.topicAliasInvalid, 'MQTT-3.3.2-9', 'a topic alias above the Topic Alias Maximum');
  }
  if (packet.topic !== '') state.aliases[alias] = packet.topic;
  return (
    state.aliases[alias] ?? refusal(REASON.protocolError, 'section 3.3.2.3.4', 'a topic alias that stands for nothing')
  );
}

function publicationOf(state: ConnectionState, packet: Publish, topic: string, now: number): Publication {
  const { payload, qos, retain } = packet;
  const publication: Publication = { topic, payload, qos, retain, publisher: state.clientId, publishedAtMs: now };
  if (packet.properties) {
    // The alias is this connection's and goes no further.
    const { topicAlias: _, ...carried } = packet.properties;
    publication.properties = carried;
  }
  return publication;
}
