import { explain } from '../mqtt/explain.js';
import { REASON } from '../mqtt/reason-codes.js';
import type { Effect } from './effects.js';
import type { ConnectionState, Unanswered } from './state.js';

/** Appends what is ready, in order of arrival: one that is not ready holds back those behind it, so that order holds. */
export function issueReady(state: ConnectionState, qos: 1 | 2, effects: Effect[]): void {
  const line = state.lines[qos];
  for (;;) {
    const entry = line.entries[line.issued - line.first];
    if (entry === undefined) return;
    if (entry.status === 'ready') {
      entry.status = 'appending';
      issueAppend(qos, line.issued, entry, effects);
    } else if (entry.status === 'beginning' || entry.status === 'resolving') {
      return;
    }
    line.issued += 1;
  }
}

export function issueAppend(
  qos: 0 | 1 | 2,
  reference: number,
  { bytes, publication, begunAtMs }: Pick<Unanswered, 'bytes' | 'publication' | 'begunAtMs'>,
  effects: Effect[],
): void {
  effects.push({
    type: 'append',
    qos,
    reference,
    bytes,
    publication,
    ...(begunAtMs !== undefined && { begunAtMs }),
  });
}

/** Answers from the head of the line, as far as it is done [MQTT-4.6.0-2] [MQTT-4.6.0-3]. */
export function answerDone(state: ConnectionState, qos: 1 | 2, effects: Effect[]): void {
  const line = state.lines[qos];
  for (;;) {
    const head = line.entries[0];
    if (head === undefined || head.status !== 'done') return;
    line.entries.shift();
    line.first += 1;
    line.issued = Math.max(line.issued, line.first);
    const { packetId, reasonCode, reason } = head;
    // A PUBREC that refuses ends the exchange: no PUBREL follows [MQTT-4.3.3-4].
    if (qos === 2 && reasonCode < REASON.unspecifiedError) state.exchanges[packetId] = 'received';
    else if (qos === 2) endExchange(state, packetId);
    const answer = { type: qos === 1 ? ('puback' as const) : ('pubrec' as const), packetId, reasonCode };
    const isExplained = reason !== undefined && state.wantsReasons && state.level !== null;
    const takes = { level: state.level ?? 5, packetMaxBytes: state.takesMaxBytes };
    effects.push({ type: 'send', packet: isExplained ? explain(answer, reason, takes) : answer });
  }
}

/** A QoS 2 packet identifier is in use until its PUBREL, or until a PUBREC refuses. */
export function beginExchange(state: ConnectionState, packetId: number): void {
  state.exchanges[packetId] = 'unanswered';
  state.exchangeCount += 1;
}

export function endExchange(state: ConnectionState, packetId: number): void {
  if (!state.exchanges[packetId]) return;
  delete state.exchanges[packetId];
  state.exchangeCount -= 1;
}
