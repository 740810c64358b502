import type { SubscriptionRequest } from '../mqtt/packets.js';
import { REASON } from '../mqtt/reason-codes.js';
import type { SubscribeAsked, UnsubscribeAsked } from '../ports/session-commands.js';
import type { Replay, ReplayFrom, SubscriptionRow } from '../ports/store.js';
import { filterProblem, parseShared } from '../topics/names.js';
import { FROM_FORM, FROM_PROPERTY, parseFrom } from '../topics/replay-from.js';
import { drain } from './backlog.js';
import type { SessionEffect } from './effects.js';
import type { FilterRead, FilterRefused, SessionInput } from './inputs.js';
import { save } from './saving.js';
import { filterKey, type PendingAnswer, type SessionState } from './state.js';

/**
 * Indexed at once and answered when saved: what is appended after the SUBACK will be delivered. What comes before it may be
 * (section 3.8.4), and has to be: a retained message newer than `handedOut` is left to come live.
 */
export function onSubscribe(
  state: SessionState,
  input: Extract<SessionInput, { type: 'subscribe' }>,
  now: number,
  effects: SessionEffect[],
): void {
  state.sequence += 1;
  const answer: PendingAnswer = {
    type: 'suback',
    connectionNumber: input.connectionNumber,
    packetId: input.packetId,
    reasonCodes: [],
    removed: [],
    retainedDue: [],
  };
  const granted: SubscriptionRow[] = [];
  for (const [index, request] of input.subscriptions.entries()) {
    const denied = input.denied?.[index] ?? 0;
    const judged =
      judge(state, request, { from: input.from, denied }, now) ?? (input.read[index] as FilterRead | FilterRefused);
    if ('reasonCode' in judged) {
      answer.reasonCodes.push(judged.reasonCode);
      answer.reason ??= judged.text;
    } else {
      answer.reasonCodes.push(request.qos);
      granted.push(grant(state, request, { ...input, ...judged }, answer, now));
    }
  }
  const refusedCount = input.subscriptions.length - granted.length;
  if (refusedCount > 0) effects.push({ type: 'count', name: 'subscriptions-refused', by: refusedCount });
  if (granted.length > 0) effects.push({ type: 'index', subscriptions: granted });
  state.pendingAnswers.push(answer);
  save(state, effects);
  drain(state, now, effects);
}

export function onUnsubscribe(
  state: SessionState,
  input: UnsubscribeAsked,
  now: number,
  effects: SessionEffect[],
): void {
  const answer: PendingAnswer = {
    type: 'unsuback',
    connectionNumber: input.connectionNumber,
    packetId: input.packetId,
    reasonCodes: [],
    removed: [],
    retainedDue: [],
  };
  for (const filter of input.filters) {
    const existed = filterKey(filter) in state.subscriptions;
    answer.reasonCodes.push(existed ? REASON.success : REASON.noSubscriptionExisted);
    if (!existed) continue;
    delete state.subscriptions[filterKey(filter)];
    state.replaying = state.replaying.filter((replayed) => replayed !== filter);
    state.subscriptionCount -= 1;
    state.subscriptionBytes -= filter.length;
    answer.removed.push(filter);
  }
  const removed = new Set(answer.removed);
  state.retainedDue = state.retainedDue.filter((due) => !removed.has(due.filter));
  state.pendingAnswers.push(answer);
  save(state, effects);
  drain(state, now, effects);
}

/** Why a subscription is not granted (section 3.9.3); null: it is, with the QoS that was asked for. */
function judge(
  state: SessionState,
  request: SubscriptionRequest,
  { from, denied }: Pick<SubscribeAsked, 'from'> & { denied: number },
  now: number,
): FilterRefused | null {
  const problem = filterProblem(request.filter);
  if (problem !== null) return { reasonCode: REASON.topicFilterInvalid, text: `the filter is refused: ${problem}` };
  if (denied === REASON.sharedSubscriptionsNotSupported) {
    return { reasonCode: denied, text: 'there are no shared subscriptions where there are several shards' };
  }
  if (denied > 0) return { reasonCode: denied, text: 'the client may not subscribe to this filter' };
  if (from !== null) {
    if (parseFrom(from, now) === null) return unable(`${FROM_PROPERTY} is not ${FROM_FORM}`);
    if (parseShared(request.filter) !== null) return unable('a shared subscription gets no history');
    const { replaysMax } = state.limits;
    const isReplaying = state.replaying.includes(request.filter);
    if (!isReplaying && state.replaying.length >= replaysMax) {
      return {
        reasonCode: REASON.quotaExceeded,
        text: `no more than ${replaysMax} filters of a session get history at once`,
      };
    }
  }
  const isNew = !(filterKey(request.filter) in state.subscriptions);
  const { subscriptionsMax, subscriptionsMaxBytes } = state.limits;
  const fits = state.subscriptionBytes + request.filter.length <= subscriptionsMaxBytes;
  if (!isNew || (state.subscriptionCount < subscriptionsMax && fits)) return null;
  const most = `${subscriptionsMax} subscriptions, or filters of ${subscriptionsMaxBytes} bytes`;
  return { reasonCode: REASON.quotaExceeded, text: `a session has no more than ${most}` };
}

function unable(text: string): FilterRefused {
  return { reasonCode: REASON.implementationSpecific, text };
}

/** A filter that is subscribed to again is replaced, and nothing is lost between [MQTT-3.8.4-3]. */
function grant(
  state: SessionState,
  request: SubscriptionRequest,
  { handedOut, identifier, from }: FilterRead & Pick<SubscribeAsked, 'identifier' | 'from'>,
  answer: PendingAnswer,
  now: number,
): SubscriptionRow {
  const { filter, ...options } = request;
  const identified = identifier !== null && { identifier };
  const replaced = state.subscriptions[filterKey(filter)];
  // At QoS 0 it is owed nothing that was handed out before, and may have had it.
  const since = replaced && replaced.options.qos > 0 ? replaced.since : handedOut;
  const isShared = parseShared(filter) !== null;
  const shared = isShared && { shareId: replaced?.shareId ?? `${state.sequence}.${answer.reasonCodes.length}` };
  const replay = from === null ? replaced?.replay : replayOf(state, parseFrom(from, now) ?? 'earliest', handedOut);
  const row: SubscriptionRow = {
    filter,
    options,
    ...identified,
    ...shared,
    since,
    ...(replay && { replay }),
  };
  if (replay !== undefined && !state.replaying.includes(filter)) state.replaying.push(filter);
  state.subscriptions[filterKey(filter)] = row;
  if (!replaced) {
    state.subscriptionCount += 1;
    state.subscriptionBytes += filter.length;
  }
  // No retained messages for a shared subscription (section 4.8.2).
  const sendsRetained = !isShared && (options.retainHandling === 0 || (options.retainHandling === 1 && !replaced));
  if (sendsRetained) {
    const { sequence } = state;
    answer.retainedDue.push({ filter, options, ...identified, sequence, since: handedOut, after: null });
  }
  return row;
}

/** From every partition that is handed out, a copy of the beginning. */
function replayOf(state: SessionState, from: ReplayFrom, handedOut: Readonly<Record<string, string>>): Replay {
  const partitions = Object.keys(handedOut).map((partition) => [partition, from] as const);
  return { sequence: state.sequence, from: Object.fromEntries(partitions) };
}
