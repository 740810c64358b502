import { filterMatches } from '../../functions/topics/filter-match.js';
import type { Broker, Machine } from './broker.js';
import { LINK_LAG_MS, type VirtualClient } from './client.js';
import type { Facts, Published, Received, Session, Subscribed, Will } from './facts.js';
import type { KeptEntry } from './log.js';
import { checkShare } from './share-check.js';
import { SHARE } from './workload.js';

export interface State {
  facts: Facts;
  machine: Machine;
  clients: readonly VirtualClient[];
  /** Whether log or store refused single writes, which lets a later one overtake. */
  writesFailed: boolean;
  /** What a client has given up may still be appended, by another process than the one that it is at now. */
  isFleet: boolean;
}

/** What late answers, clocks and rounding may add, milliseconds. */
const SLACK_MS = 3_000;

/** After a calm: everything promised must have come true. Returns what is wrong. */
export function checkEverything(state: State): string[] {
  const log = LogView.of(state.machine);
  const { facts } = state;
  return [
    ...(state.writesFailed ? [] : checkOrder(facts, log, state.isFleet)),
    ...facts.sessions.flatMap((session) => checkReceived(session, state, log)),
    ...facts.sessions
      .filter(({ overStep }) => overStep === null)
      .flatMap((session) => checkNothingLost(session, facts, log)),
    ...[...facts.published.values()].flatMap((published) => checkPublished(published, log)),
    ...facts.wills.flatMap((will) => checkWill(will, log, state.isFleet)),
    ...state.clients.flatMap(checkIdle),
    ...checkCheckpoints(state.machine),
    ...checkShare(facts, SHARE, log.entries),
    ...checkQueues(state.machine),
  ];
}

/**
 * A new subscriber of everything has got the latest retained message of each topic, in the log's order, and nothing else.
 * Where nobody answered for the latest, as a crash came between it and its row, one before it may stand.
 */
export function checkRetained(machine: Machine, facts: Facts, probe: VirtualClient): string[] {
  const allowed = new Map<string, string[]>();
  for (const { record } of LogView.of(machine).entries) {
    if (record.properties['mqtt-retain'] !== 'true') continue;
    const id = text(record.payload);
    const published = facts.published.get(id);
    const isSure = published !== undefined && published.qos > 0 && published.answeredStep !== null;
    allowed.set(record.key, isSure ? [id] : [...(allowed.get(record.key) ?? ['']), id]);
  }
  const received = (probe.session?.received ?? []).filter(({ retain }) => retain);
  const problems: string[] = [];
  for (const [topic, ids] of allowed) {
    const got = received.filter((each) => each.topic === topic).map((each) => each.id);
    if (got.length > 1 || !ids.includes(got.join())) {
      problems.push(`retained ${topic} is ${ids.join(' or ')}, ${probe.id} got ${got}`);
    }
  }
  for (const { topic, id } of received) if (!allowed.has(topic)) problems.push(`${id} was never retained at ${topic}`);
  return problems;
}

/** After every session has ended: no row, nothing in memory, no will that should have gone out. */
export function checkNothingIsLeft(state: State, brokers: readonly (Broker | null)[]): string[] {
  const { presence, sessions, inbound, outbound } = state.machine.store;
  // What a process that is no more had asked for may be written after the session has ended; its generation never comes again.
  const checked = state.isFleet ? { presence, sessions, outbound } : { presence, sessions, inbound, outbound };
  const log = LogView.of(state.machine);
  return [
    ...Object.entries(checked)
      .filter(([, table]) => table.size > 0)
      .map(([name, table]) => `left in the store: ${name} ${table.keys().join(', ').replaceAll('\0', '/')}`),
    ...brokers.flatMap(leftIn),
    ...state.facts.wills.flatMap((will) => checkWill(will, log, state.isFleet)),
  ];
}

function isAnswered({ answeredStep }: Published): boolean {
  return answeredStep !== null;
}

function leftIn(broker: Broker | null): string[] {
  if (broker === null) return ['a process is down'];
  const { workers, connectionCount } = broker;
  const sessions = workers.reduce((sum, { sessionCount }) => sum + sessionCount, 0);
  const filters = workers.reduce((sum, { subscriptionCount }) => sum + subscriptionCount, 0);
  return [
    ...(sessions > 0 ? [`${sessions} sessions are left in the shards`] : []),
    ...(filters > 0 ? [`${filters} filters are left in the index`] : []),
    ...(connectionCount > 0 ? [`${connectionCount} connections are left in the edge`] : []),
  ];
}

/** The log has what one client published to one topic with one QoS in the order in which it was sent; what is repeated counts once. */
function checkOrder({ published }: Facts, log: LogView, isFleet: boolean): string[] {
  const problems: string[] = [];
  const last = new Map<string, Published>();
  const seen = new Set<string>();
  for (const { record } of log.entries) {
    const origin = published.get(text(record.payload));
    if (origin === undefined || seen.has(origin.id) || (isFleet && !isAnswered(origin))) continue;
    seen.add(origin.id);
    const line = `${origin.client} ${origin.topic} ${origin.qos}`;
    const before = last.get(line);
    if (before && before.number > origin.number) problems.push(`${origin.id} is in the log after ${before.id}`);
    last.set(line, origin);
  }
  return problems;
}

/** What reached the application of one session was published, to a filter that it had, no more often than its QoS allows, and in order. */
function checkReceived(session: Session, { facts, writesFailed }: State, log: LogView): string[] {
  const { published, wills } = facts;
  const problems: string[] = [];
  const counts = new Map<string, number>();
  const reached = new Map<string, { place: number; id: string }>();
  const willsById = new Map(wills.map((will) => [will.published.id, will.published]));
  for (const received of session.received) {
    if (received.id === '') continue;
    const { id, topic, qos, retain } = received;
    const who = `${session.client} at step ${received.step}: ${id}`;
    const origin = published.get(id) ?? willsById.get(id);
    if (origin === undefined || origin.topic !== topic) {
      problems.push(`${who} was never published to ${topic}`);
      continue;
    }
    if (qos > origin.qos) problems.push(`${who} came with QoS ${qos}, it has ${origin.qos}`);
    if (!log.has(id)) problems.push(`${who} is not in the log`);
    if (!session.subscribed.some((each) => mayDeliver(each, origin, received))) {
      problems.push(`${who} for ${topic} matches no subscription that it may have had`);
    }
    if (retain) continue;
    // A publisher may repeat QoS 1, and so may the server as long as it is not answered.
    const asksHistory = session.subscribed.some(({ history, matches }) => history && filterMatches(matches, topic));
    // History of QoS 0 is not saved before it is sent: a crash makes it begin again.
    const mayRepeat = origin.qos === 1 || (qos === 0 && asksHistory);
    const isFirst = !counts.has(`0 ${id}`) && !counts.has(`1 ${id}`) && !counts.has(`2 ${id}`);
    // A subscription whose new QoS a crash undoes before its SUBACK may bring it again at the old one.
    const count = (counts.get(`${qos} ${id}`) ?? 0) + (qos === 1 ? 0 : 1);
    counts.set(`${qos} ${id}`, count);
    const more = extraCopies(session, received);
    if (count > 1 + more && !mayRepeat) problems.push(`${who} came ${count} times with QoS ${qos}`);
    // History is older than what came before it, and so is what another member of a share had.
    if (!isFirst || writesFailed || more > 0) continue;
    const line = `${topic} ${origin.qos} ${qos}`;
    const last = reached.get(line);
    const place = log.places(id).find((each) => each > (last?.place ?? -1));
    if (place === undefined) problems.push(`${who} came after ${last?.id}`);
    else reached.set(line, { place, id });
  }
  return problems;
}

/** Whether a subscription may have brought a publication: one that had ended before it was sent may not. */
function mayDeliver(subscribed: Subscribed, origin: Published, received: Received): boolean {
  if (!filterMatches(subscribed.matches, received.topic) || subscribed.qos < received.qos) return false;
  if (subscribed.sentStep > received.step) return false;
  return received.retain || subscribed.endedStep === null || subscribed.endedStep >= origin.sentStep;
}

/** Besides one for its own subscriptions together: one for each share and for each time that history was asked for. */
function extraCopies({ subscribed }: Session, { topic }: Received): number {
  const matching = subscribed.filter(({ matches }) => filterMatches(matches, topic));
  const shares = new Set(matching.filter(({ filter, matches }) => filter !== matches).map(({ filter }) => filter));
  return shares.size + matching.filter(({ history }) => history).length;
}

/** A session that lives has got all that was appended after a SUBACK that still stands. */
function checkNothingLost(session: Session, { published, wills }: Facts, log: LogView): string[] {
  const standing = session.subscribed.filter(
    (each) =>
      each.answeredStep !== null &&
      each.filter === each.matches &&
      each.qos > 0 &&
      each.endAskedStep === null &&
      !session.subscribed.some(
        (other) => other.filter === each.filter && other.qos === 0 && other.sentStep > each.sentStep,
      ),
  );
  const got = new Set(session.received.filter(({ retain }) => !retain).map(({ id }) => id));
  const willsById = new Map(wills.map((will) => [will.published.id, will.published]));
  const problems: string[] = [];
  for (const { record, step } of log.entries) {
    const id = text(record.payload);
    const origin = published.get(id) ?? willsById.get(id);
    if (origin === undefined || origin.qos === 0 || origin.expires || got.has(id)) continue;
    const promised = standing.find(
      (each) => (each.history || each.answeredStep! < step) && filterMatches(each.filter, record.key),
    );
    if (promised === undefined) continue;
    problems.push(`${session.client} lost ${id} to ${record.key}, subscribed to ${promised.filter}`);
    got.add(id);
  }
  return problems;
}

/** What was acknowledged is in the log; QoS 2 once, and QoS 0, which nobody repeats, too. */
function checkPublished({ id, qos, answeredStep }: Published, log: LogView): string[] {
  const count = log.count(id);
  if (answeredStep !== null && count === 0) return [`${id} was acknowledged and is not in the log`];
  if (qos !== 1 && count > 1) return [`${id} of QoS ${qos} is in the log ${count} times`];
  return [];
}

function checkWill(will: Will, log: LogView, isFleet: boolean): string[] {
  const { id } = will.published;
  const count = log.count(id);
  if (count > 1) return [`the will ${id} went out ${count} times`];
  if (count === 0 && mustGoOut(will, isFleet)) return [`the will ${id} did not go out`];
  if (count > 0 && mustStay(will, isFleet)) return [`the will ${id} went out, and should not`];
  return [];
}

/** The connection was lost and the delay, if any, ran out, or a session that could have been resumed ended. */
function mustGoOut(will: Will, isFleet: boolean): boolean {
  if (!will.connected || will.lostAtMs === null || will.disconnect !== 'none') return false;
  if (will.delayS === 0 || will.nextPresent === false)
    return will.serverLostAtMs !== null || will.nextConnackAtMs !== null;
  // An edge that did not live to write down that the client was gone leaves it to whoever looks next.
  if (will.serverLostAtMs === null || isFleet) return false;
  const dueMs = will.serverLostAtMs + will.delayS * 1000;
  return will.nextConnectAtMs !== null && will.nextConnectAtMs > dueMs + SLACK_MS;
}

/** A DISCONNECT has discarded it, or the session was resumed before its delay was over. */
function mustStay(will: Will, isFleet: boolean): boolean {
  if (will.disconnect === 'done') return true;
  // Others may have taken the connection for lost before its client did: its process was paused.
  if (isFleet) return false;
  const { nextPresent, nextConnackAtMs, brokenAtMs, delayS } = will;
  if (nextPresent !== true || nextConnackAtMs === null || brokenAtMs === null) return false;
  return nextConnackAtMs < brokenAtMs + delayS * 1000 - LINK_LAG_MS;
}

function checkIdle(client: VirtualClient): string[] {
  if (!client.isReady) return [`${client.id} could not connect`];
  if (client.isIdle) return [];
  const waiting = [...client.outgoing.values()].map(({ published, phase }) => `${phase} ${published.id}`);
  return [`${client.id} waits for an answer in vain: ${waiting.join(', ') || 'SUBACK or UNSUBACK'}`];
}

/** Everything is answered, so nothing holds the checkpoint up of what is read; what is not read has none. */
function checkCheckpoints({ store, log, timeline }: Machine): string[] {
  const problems: string[] = [];
  for (const shard of store.shards.keys()) {
    const checkpoints = store.shards.get(shard)?.checkpoints;
    for (const [partition, { entries, readers, closedAtMs }] of log.partitions) {
      if (!partition.startsWith('mqtt-')) continue;
      const isRead = [...readers].some(({ who }) => who === `pulsegate-shard-${shard}`);
      // Let go of a moment ago: the next checkpoint says so.
      if (!isRead && closedAtMs > timeline.nowMs - SLACK_MS) continue;
      const last = isRead ? (entries.at(-1)?.position ?? null) : null;
      const low = checkpoints?.get(partition)?.low ?? null;
      if (last !== low)
        problems.push(`shard ${shard}: the checkpoint of ${partition} is ${low}, the log ends at ${last}`);
    }
  }
  return problems;
}

/** Everybody is here and has answered: nothing waits for anybody, and no checkpoint has to pass anything. */
function checkQueues({ store }: Machine): string[] {
  return store.outbound.keys().map((key) => `left in a queue: ${key.replaceAll('\0', '/')}`);
}

/** All partitions; order counts within a topic only. */
class LogView {
  readonly #places = new Map<string, number[]>();

  private constructor(readonly entries: readonly KeptEntry[]) {
    for (const [place, { record }] of entries.entries()) {
      const id = text(record.payload);
      const places = this.#places.get(id);
      if (places) places.push(place);
      else this.#places.set(id, [place]);
    }
  }

  static of({ log }: Machine): LogView {
    return new LogView([...log.partitions].flatMap(([name, { entries }]) => (name.startsWith('mqtt-') ? entries : [])));
  }

  /** In order. */
  places(id: string): readonly number[] {
    return this.#places.get(id) ?? [];
  }

  count(id: string): number {
    return this.places(id).length;
  }

  has(id: string): boolean {
    return this.count(id) > 0;
  }
}

function text(payload: Uint8Array): string {
  return Buffer.from(payload).toString();
}
