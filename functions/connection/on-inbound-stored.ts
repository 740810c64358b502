import { REASON, refusal } from '../mqtt/reason-codes.js';
import { answerDone, endExchange, issueReady } from './answers.js';
import { releaseTaken } from './back-pressure.js';
import type { Effect } from './effects.js';
import type { Input } from './inputs.js';
import { refuse } from './refuse.js';
import { type ConnectionState, entryOf } from './state.js';

type Fact<T extends Input['type']> = Extract<Input, { type: T }>;

/** The packet identifier is durable. One that an earlier connection began is in doubt: it is looked for before it is appended. */
export function onInboundBegun(
  state: ConnectionState,
  input: Fact<'inbound-begun'>,
  _now: number,
  effects: Effect[],
): void {
  const entry = entryOf(state, 2, input.reference);
  if (!entry) return;
  const { existing } = input;
  if (existing === null) {
    entry.status = 'ready';
    issueReady(state, 2, effects);
    return;
  }
  entry.status = 'resolving';
  entry.publication.token = existing.token;
  effects.push({
    type: 'resolve-append',
    reference: input.reference,
    publication: entry.publication,
    token: existing.token,
    sinceMs: existing.begunAtMs,
    lastMs: existing.retriedAtMs ?? existing.begunAtMs,
    packetId: entry.packetId,
    ...(existing.edge !== undefined && { edge: existing.edge }),
  });
}

export function onAppendResolved(
  state: ConnectionState,
  input: Fact<'append-resolved'>,
  now: number,
  effects: Effect[],
): void {
  const entry = entryOf(state, 2, input.reference);
  if (!entry) return;
  entry.status = input.found ? 'done' : 'ready';
  if (input.begunAtMs !== undefined) entry.begunAtMs = input.begunAtMs;
  if (input.found) releaseTaken(state, entry.bytes, now, effects);
  issueReady(state, 2, effects);
  answerDone(state, 2, effects);
}

/** The packet identifier is free again, durably: PUBCOMP may say so [MQTT-4.3.3-11]. */
export function onInboundEnded(
  state: ConnectionState,
  input: Fact<'inbound-ended'>,
  now: number,
  effects: Effect[],
): void {
  const { packetId } = input;
  releaseTaken(state, 0, now, effects);
  // It may be its PUBCOMP that was lost with the connection before: no error then (section 3.7.2.1), and MQTT.js takes 0x92 for one.
  const isKnown = input.existed || state.exchanges[packetId] !== undefined || state.isResumed;
  const reasonCode = isKnown ? REASON.success : REASON.packetIdentifierNotFound;
  endExchange(state, packetId);
  effects.push({ type: 'send', packet: { type: 'pubcomp', packetId, reasonCode } });
}

export function onInboundDropped(
  state: ConnectionState,
  input: Fact<'inbound-dropped'>,
  _now: number,
  effects: Effect[],
): void {
  const entry = entryOf(state, 2, input.reference);
  if (entry) entry.status = 'done';
  answerDone(state, 2, effects);
}

/** Nothing was promised, and the client repeats what it was not answered. */
export function onInboundFailed(
  state: ConnectionState,
  input: Fact<'inbound-failed'>,
  now: number,
  effects: Effect[],
): void {
  const text = `the store did not take a step of a QoS 2 publication (${input.code})`;
  refuse(state, refusal(REASON.implementationSpecific, 'section 4.13', text), now, effects);
}
