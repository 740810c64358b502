import type { Publish } from '../mqtt/packets.js';
import { REASON, refusal } from '../mqtt/reason-codes.js';
import type { Publication } from '../topics/publication.js';
import { issueAppend, issueReady, throttle } from './answers.js';
import type { Effect } from './effects.js';
import { refuse } from './refuse.js';
import type { ConnectionState } from './state.js';

/** To the log; the answer waits for `appended`. */
export function onPublish(state: ConnectionState, packet: Publish, now: number, effects: Effect[]): void {
  if (packet.properties?.topicAlias !== undefined) {
    const why = refusal(REASON.topicAliasInvalid, 'MQTT-3.3.2-9', 'a topic alias above the Topic Alias Maximum of 0');
    return refuse(state, why, now, effects);
  }
  if (packet.qos === 2 && isRepeated(state, packet.packetId, effects)) return;
  if (packet.qos > 0 && unansweredCount(state) >= state.limits.receiveMaximum) {
    const why = refusal(
      REASON.receiveMaximumExceeded,
      'section 3.3.4',
      'more publications unanswered than Receive Maximum',
    );
    return refuse(state, why, now, effects);
  }
  const publication = publicationOf(state, packet, now);
  const bytes = packet.topic.length + packet.payload.length;
  if (packet.qos === 0) {
    issueAppend(state, 0, 0, bytes, publication, effects);
  } else {
    const { qos, packetId } = packet;
    const line = state.lines[qos];
    const reference = line.first + line.entries.length;
    const resumable = qos === 2 && state.sessionExpiryS > 0;
    if (resumable) publication.token = `${state.clientId}:${state.connectionNumber}:${reference}`;
    line.entries.push({
      packetId,
      status: resumable ? 'beginning' : 'ready',
      bytes,
      reasonCode: REASON.success,
      publication,
    });
    // A session that ends with its connection has nothing to resume, so nobody would ever read the row.
    if (publication.token !== undefined) {
      effects.push({ type: 'begin-inbound', reference, packetId, token: publication.token, begunAtMs: now });
    }
    issueReady(state, qos, effects);
  }
  throttle(state, effects);
}

/**
 * A QoS 2 packet identifier in use is the same publication again, whatever DUP says [MQTT-4.3.3-10]: before its PUBREC it
 * waits on, after it gets the PUBREC again.
 */
function isRepeated(state: ConnectionState, packetId: number, effects: Effect[]): boolean {
  if (state.received[packetId]) {
    effects.push({ type: 'send', packet: { type: 'pubrec', packetId, reasonCode: REASON.success } });
    return true;
  }
  return state.lines[2].entries.some((entry) => entry.packetId === packetId);
}

function unansweredCount(state: ConnectionState): number {
  return state.lines[1].entries.length + state.lines[2].entries.length + state.receivedCount;
}

function publicationOf(state: ConnectionState, packet: Publish, now: number): Publication {
  return {
    topic: packet.topic,
    payload: packet.payload,
    qos: packet.qos,
    retain: packet.retain,
    ...(packet.properties && { properties: packet.properties }),
    publisher: state.clientId,
    publishedAtMs: now,
  };
}
