import type { OutboundKey, Replay, SubscriptionRow } from '../ports/store.js';
import { deliver, windowRoom } from './deliver.js';
import type { Delivery } from './delivery.js';
import type { SessionEffect } from './effects.js';
import type { SessionInput } from './inputs.js';
import { historyPlace, historySource, placeText } from './places.js';
import { save } from './saving.js';
import { filterKey, isDurable, type SessionState } from './state.js';
import { enqueue } from './waiting.js';

/**
 * History for a subscription that asked for it, partition by partition, a page at a time. Until a partition is read up to
 * where the shard hands out, nothing comes live from it to that subscription; from there on everything does. A page goes
 * through the store's queue, and nothing of it is sent before the row says how far it went: so no crash repeats any.
 */

/** Publications asked for at a time. */
const PAGE_PUBLICATIONS = 100;

/** Reads the next page once the client has room and nothing of its own waits. */
export function readHistory(state: SessionState, effects: SessionEffect[]): void {
  const filter = state.replaying[0];
  if (filter === undefined || state.replayReading || state.waiting.length > 0 || windowRoom(state) <= 0) return;
  const { replay } = state.subscriptions[filterKey(filter)] as SubscriptionRow;
  const [next] = Object.entries(replay?.from ?? {});
  if (replay === undefined || next === undefined) return;
  const [partition, from] = next;
  state.replayReading = true;
  const { sequence } = replay;
  effects.push({ type: 'read-history', filter, sequence, partition, from, limit: PAGE_PUBLICATIONS });
}

export function onHistoryRead(
  state: SessionState,
  input: Extract<SessionInput, { type: 'history-read' }>,
  now: number,
  effects: SessionEffect[],
): void {
  state.replayReading = false;
  const { filter, partition, upTo, handedOut } = input;
  const row = state.subscriptions[filterKey(filter)];
  // The connection went meanwhile, or the client has thought better of it: what was read is read again or not at all.
  if (state.mode !== 'live' || row?.replay?.sequence !== input.sequence || !(partition in row.replay.from)) return;
  const isCaughtUp = upTo >= handedOut;
  const { sequence } = row.replay;
  const deliveries: Delivery[] = [];
  for (const { position, publication } of input.publications) {
    // Later ones come live.
    if (position > handedOut) continue;
    // Came live before a crash that left the history where it was.
    if (sequence <= state.knownSequence && state.known[placeText({ source: partition, position })]) continue;
    const { options, identifier } = row;
    if (options.noLocal && publication.publisher === state.clientId) continue;
    const qos = Math.min(publication.qos, options.qos) as 0 | 1 | 2;
    deliveries.push({
      source: historySource(sequence),
      position: historyPlace(partition, position),
      publication,
      qos,
      retain: options.retainAsPublished && publication.retain,
      held: false,
      ...(identifier !== undefined && { identifiers: [identifier] }),
    });
  }
  advance(state, row, partition, isCaughtUp ? null : upTo, handedOut, effects);
  for (const delivery of deliveries) if (delivery.qos === 0) deliver(state, delivery, now, effects);
  if (!isCaughtUp && deliveries.every(({ qos }) => qos === 0)) return;
  // A page is a bound by itself: what the queue would drop would be a gap.
  enqueue(state, deliveries, effects, { isBounded: false });
  state.mode = 'draining';
  state.stored.pass = 'due';
  save(state, effects);
  state.replayUnsaved = isDurable(state);
}

/** Notes that a partition is read up to `upTo`; null: that all that comes from it now comes live. */
function advance(
  state: SessionState,
  row: SubscriptionRow,
  partition: string,
  upTo: string | null,
  handedOut: string,
  effects: SessionEffect[],
): void {
  const { replay, ...joined } = row;
  if (replay === undefined) return;
  const { [partition]: _, ...others } = replay.from;
  if (upTo !== null) {
    replay.from[partition] = { after: upTo };
    return;
  }
  const since = { ...row.since, [partition]: handedOut };
  const isOver = Object.keys(others).length === 0;
  const next: SubscriptionRow = isOver ? { ...joined, since } : { ...row, since, replay: { ...replay, from: others } };
  state.subscriptions[filterKey(row.filter)] = next;
  if (isOver) state.replaying = state.replaying.filter((filter) => filter !== row.filter);
  effects.push({ type: 'index', subscriptions: [next] });
}

/** Whether a queued row is ahead of what the session row says was read, and so was not sent: it will be read again. */
export function isAheadOfReplay(key: OutboundKey, replays: readonly Replay[]): boolean {
  for (const { sequence, from } of replays) {
    if (key.source !== historySource(sequence)) continue;
    for (const [partition, cursor] of Object.entries(from)) {
      if (!key.position.startsWith(historyPlace(partition, ''))) continue;
      return typeof cursor === 'string' || !('after' in cursor) || key.position > historyPlace(partition, cursor.after);
    }
  }
  return false;
}
