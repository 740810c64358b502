import { LEVELS } from '../mqtt/levels.js';
import { REASON, refusal } from '../mqtt/reason-codes.js';
import type { PortErrorCode } from '../ports/errors.js';
import { answerDone } from './answers.js';
import { releaseTaken } from './back-pressure.js';
import type { Effect } from './effects.js';
import type { Input } from './inputs.js';
import { refuse } from './refuse.js';
import { type ConnectionState, entryOf } from './state.js';

/** The publication is durable: its PUBACK or PUBREC may go, in turn. */
export function onAppended(
  state: ConnectionState,
  input: Extract<Input, { type: 'appended' }>,
  now: number,
  effects: Effect[],
): void {
  releaseTaken(state, input.bytes, now, effects);
  if (input.qos === 0) return;
  const entry = entryOf(state, input.qos, input.reference);
  if (entry) entry.status = 'done';
  answerDone(state, input.qos, effects);
}

/**
 * Nothing is swallowed: MQTT 5 gets a reason code, an older client is closed so that it tries again. A QoS 2 publication
 * that may have been appended all the same is left as it is, for the resumed session to settle by reading.
 */
export function onAppendFailed(
  state: ConnectionState,
  input: Extract<Input, { type: 'append-failed' }>,
  now: number,
  effects: Effect[],
): void {
  releaseTaken(state, input.bytes, now, effects);
  const text = `the log did not take a publication (${input.code})`;
  effects.push({ type: 'count', name: 'appends-failed' });
  effects.push({ type: 'report', level: 'warn', event: 'append-failed', text });
  if (input.qos === 0) return;
  const entry = entryOf(state, input.qos, input.reference);
  const answerable = state.level !== null && LEVELS[state.level].reasonCodes && input.code !== 'too-large';
  const inDoubt = input.qos === 2 && input.code === 'unavailable';
  if (!entry || !answerable || inDoubt) {
    const reasonCode = input.code === 'too-large' ? REASON.packetTooLarge : REASON.implementationSpecific;
    return refuse(state, refusal(reasonCode, 'section 4.13', text), now, effects);
  }
  entry.reasonCode = REASON_OF[input.code];
  entry.reason = text;
  if (input.qos === 2 && state.keepsInbound) {
    // The packet identifier is free once the client sees the refusal, so it has to be free here before.
    effects.push({ type: 'drop-inbound', reference: input.reference, packetId: entry.packetId });
    return;
  }
  entry.status = 'done';
  answerDone(state, input.qos, effects);
}

/** Codes that PUBACK and PUBREC may carry (section 3.4.2.1). */
const REASON_OF: Readonly<Record<PortErrorCode, number>> = {
  unavailable: REASON.implementationSpecific,
  conflict: REASON.implementationSpecific,
  gone: REASON.implementationSpecific,
  refused: REASON.notAuthorized,
  full: REASON.quotaExceeded,
  'too-large': REASON.quotaExceeded,
};
