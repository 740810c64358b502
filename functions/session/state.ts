import { sessionEndMs } from '../mqtt/expiry.js';
import type { Level } from '../mqtt/packets.js';
import type { OutboundKey, RetainedDue, SubscriptionRow, WaitingWill } from '../ports/store.js';
import type { InFlight, Waiting } from './delivery.js';

/**
 * MQTT's Session State (section 4.1), as the shard that owns it holds it. Plain data: it survives `snapshot` between any
 * two inputs.
 *
 * | mode | a publication with QoS above 0 goes to |
 * | --- | --- |
 * | `offline` | the store's queue |
 * | `draining` | `waiting`, behind what the store still holds for the client, which is being read |
 * | `live` | the client while the window is open, then `waiting` |
 * | `ended` | nobody |
 *
 * `waiting` is bounded in number, bytes and age; past that it moves to the store's queue, which makes the mode `draining`.
 */
export type Mode = 'offline' | 'draining' | 'live' | 'ended';

export interface SessionLimits {
  /** Unanswered publications per session, and their bytes. */
  inFlightMax: number;
  inFlightMaxBytes: number;
  /** Publications in the store's queue, and their bytes; above it the newest are dropped. */
  queueMaxMessages: number;
  queueMaxBytes: number;
  subscriptionsMax: number;
  /** The same, in bytes of their filters. */
  subscriptionsMaxBytes: number;
  /** Topic aliases given to a client, however many it takes. */
  topicAliasMaximum: number;
  /** Filters that get history at once. */
  replaysMax: number;
  /** Publications that wait in memory for the window to open. */
  waitingMaxMessages: number;
  waitingMaxBytes: number;
  /** How long one publication may go unanswered, or wait in memory, before it is saved so that the checkpoint can pass it. */
  unsavedMaxMs: number;
}

export interface SessionConnection {
  number: number;
  level: Level;
  receiveMaximum: number;
  packetMaxBytes: number | null;
  wantsReasons: boolean;
  topicAliasMaximum: number;
  /** Aliases given so far, by `filterKey` of the topic. */
  aliases: Record<string, number>;
  aliasCount: number;
}

/** A SUBSCRIBE or UNSUBSCRIBE whose answer waits for the session row. */
export interface PendingAnswer {
  type: 'suback' | 'unsuback';
  connectionNumber: number;
  packetId: number;
  reasonCodes: number[];
  /** Why a filter was refused. */
  reason?: string;
  /** To take out of the index. */
  removed: string[];
  retainedDue: RetainedDue[];
}

export interface SessionState {
  clientId: string;
  generation: number;
  mode: Mode;
  limits: SessionLimits;
  connection: SessionConnection | null;
  /** Highest connection number heard of. */
  connectionNumber: number;
  /** Milliseconds since the epoch; null while connected. */
  disconnectedAtMs: number | null;
  /** Whether its time is over and the presence row is being taken out of reach. */
  releasing: boolean;
  /** Seconds; 0: the session ends with its connection and nothing of it is stored. */
  sessionExpiryS: number;
  /** Of the connection; after its loss, until it is due. */
  will: WaitingWill | null;
  /** Milliseconds since the epoch at which the will is due; null while connected. */
  willDueMs: number | null;
  /** Whether any connection made it durable, so that the store may hold something of it. */
  wasDurable: boolean;
  /** By `filterKey`. */
  subscriptions: Record<string, SubscriptionRow>;
  subscriptionCount: number;
  subscriptionBytes: number;
  /** Raised for every SUBSCRIBE. */
  sequence: number;
  retainedDue: RetainedDue[];
  /** Filters that still have history to get, in the order in which it was asked for. */
  replaying: string[];
  /** Whether a page of history is awaited. */
  replayReading: boolean;
  /** Whether a page is queued that the stored row does not speak of yet. */
  replayUnsaved: boolean;
  pendingAnswers: PendingAnswer[];
  /** Whether a save is under way, and how many of `pendingAnswers` it covers. */
  saving: boolean;
  answersSaving: number;
  /** Whether the stored row is behind. */
  dirty: boolean;
  /** By packet identifier. */
  inFlight: Record<number, InFlight>;
  inFlightCount: number;
  inFlightBytes: number;
  /** Packet identifiers whose PUBLISH has not gone out, in the order in which it will [MQTT-4.6.0-6]. */
  toSend: number[];
  /** Packet identifiers whose PUBREL has not gone out, in order of their PUBRECs [MQTT-4.6.0-4]. */
  toRelease: number[];
  nextPacketId: number;
  nextOrder: number;
  waiting: Waiting[];
  waitingBytes: number;
  /** Since when, or earlier, something unanswered or waiting has held up the checkpoint; null: nothing does. */
  unsavedSinceMs: number | null;
  /** What the store holds for the client and has not been taken into `inFlight`. */
  stored: Stored;
  /** Places that replay must not hand out again, by `placeText`; from rows that an owner before this one left. */
  known: Record<string, true>;
  knownCount: number;
  /** Of the last SUBSCRIBE that the owner before this one saved: history asked for later brings what is known, too. */
  knownSequence: number;
}

/** What names a session for good. */
export type SessionName = Pick<SessionState, 'clientId' | 'generation'>;

export interface Stored {
  messages: number;
  bytes: number;
  /** Writes and removals under way; a reading pass begins only when there are none, so that it sees all of them. */
  writing: number;
  /** Whether a pass over the rows is still to be made or to be finished. */
  pass: 'none' | 'due' | 'under-way';
  /** Last row that the pass has seen. */
  cursor: OutboundKey | null;
  /**
   * Places that the pass must not send from the queue, by `placeText`. `queued`: what is in flight out of the queue, whose row
   * goes with its answer. `resent`: what the pass found in flight; a crash may have left its row in the queue, too.
   */
  taken: Record<string, 'queued' | 'resent'>;
  /** Orders of what was sent before this connection and is still to be sent again; the second exclusive. */
  resendFrom: number;
  resendBelow: number;
  /** Whether an answer to a read is awaited. */
  reading: boolean;
  /** By source, the first and last position queued since the pass began: from the first on, rows are the next pass's. */
  newer: Record<string, { first: string; last: string }>;
  /** Whether anything was ever written, so that there may be something to read. */
  used: boolean;
}

export function initialSession(options: { clientId: string; generation: number; limits: SessionLimits }): SessionState {
  return {
    clientId: options.clientId,
    generation: options.generation,
    mode: 'offline',
    limits: options.limits,
    connection: null,
    connectionNumber: 0,
    disconnectedAtMs: null,
    releasing: false,
    sessionExpiryS: 0,
    will: null,
    willDueMs: null,
    wasDurable: false,
    subscriptions: {},
    subscriptionCount: 0,
    subscriptionBytes: 0,
    sequence: 0,
    retainedDue: [],
    replaying: [],
    replayReading: false,
    replayUnsaved: false,
    pendingAnswers: [],
    saving: false,
    answersSaving: 0,
    dirty: false,
    inFlight: {},
    inFlightCount: 0,
    inFlightBytes: 0,
    toSend: [],
    toRelease: [],
    nextPacketId: 1,
    nextOrder: 1,
    waiting: [],
    waitingBytes: 0,
    unsavedSinceMs: null,
    stored: {
      messages: 0,
      bytes: 0,
      writing: 0,
      pass: 'none',
      cursor: null,
      taken: {},
      resendFrom: 0,
      resendBelow: 0,
      reading: false,
      newer: {},
      used: false,
    },
    known: {},
    knownCount: 0,
    knownSequence: 0,
  };
}

/** When the machine wants a `ticked`, in milliseconds since the epoch; null: not by itself. */
export function sessionDeadline(state: SessionState): number | null {
  const deadlines: number[] = [];
  if (state.willDueMs !== null) deadlines.push(state.willDueMs);
  if (state.disconnectedAtMs !== null && !state.releasing) {
    deadlines.push(sessionEndMs(state.disconnectedAtMs, state.sessionExpiryS));
  }
  if (state.unsavedSinceMs !== null) deadlines.push(state.unsavedSinceMs + state.limits.unsavedMaxMs);
  const earliest = Math.min(...deadlines);
  return Number.isFinite(earliest) ? earliest : null;
}

/** A key that no filter can turn into one of an object's own, such as `__proto__`. */
export function filterKey(filter: string): string {
  return `=${filter}`;
}

/**
 * Whether the session outlives its connection. Only then is anything of it stored, and as a rule only then does the
 * checkpoint wait for it: after a crash there is nobody left to hand the rest to, but for other members of a share.
 */
export function isDurable(state: SessionState): boolean {
  return state.sessionExpiryS > 0;
}
