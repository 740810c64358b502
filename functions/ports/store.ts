import type { SubscriptionOptions } from '../mqtt/packets.js';
import type { Publication } from '../topics/publication.js';
import type { Position } from './log.js';

/**
 * Of the rows below, as adapters write them. Raised with each change after which a program that does not know of it would misread or
 * spoil a row. Every row of a higher version is left alone: reading, replacing or deleting it rejects `refused`.
 */
export const ROWS_VERSION = 1;

/**
 * The store: what must outlive a process and is not a publication. Every promise resolves when the write is durable.
 * Rejections are `PortError`; a failed condition is `conflict`, and nothing was written.
 * Writes about one client take effect in the order of the calls, whether or not the caller waits between them; those to `presence` in an
 * order of their own. What a crash leaves of rows put to a client's queue is a beginning of them.
 *
 * A session stands in two rows. The edge writes `presence` (who is connected, since when, with which will) and the shard
 * writes `session` (subscriptions), each under its own condition, so that neither ever makes the other's write fail.
 */
export interface Store {
  readonly presence: PresenceStore;
  readonly sessions: SessionStore;
  readonly inbound: InboundStore;
  readonly outbound: OutboundStore;
  readonly retained: RetainedStore;
  readonly shards: ShardStore;
  /** Resolves where the store can be reached now; rejects `unavailable` or `refused`. */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** A will as it waits in a row. */
export interface WaitingWill {
  /** Of the connection that left it; with the client identifier it makes the will's token. */
  connectionNumber: number;
  publication: Publication;
  /** Will Delay Interval, in seconds. */
  delayS: number;
  /** Who publishes it says so here first; absent: nobody has begun to. Milliseconds since the epoch. */
  taken?: {
    /** The first who took it and may have published it. */
    sinceMs: number;
    /** The last. */
    atMs: number;
  };
}

export interface PresenceRow {
  clientId: string;
  /** Raised by every CONNECT. Whoever holds a lower one has lost the client. */
  connectionNumber: number;
  /** Connection number at which the present session began: state of another generation is not this session's. */
  generation: number;
  /** Edge process that holds, or last held, the connection. */
  edge: string;
  /** Milliseconds since the epoch; null while connected. */
  disconnectedAtMs: number | null;
  /** Seconds that the session outlives its connection; 0xFFFFFFFF for ever. */
  sessionExpiryS: number;
  /** The will of this connection, until a clean DISCONNECT or its publication. */
  will: WaitingWill | null;
  /** Wills of earlier connections that are due and that no shard has published yet, oldest first. */
  leftWills: WaitingWill[];
}

export interface PresenceStore {
  get(clientId: string): Promise<{ row: PresenceRow; version: number } | undefined>;
  /** Writes where the stored version is `expected` (0: where there is no row) and resolves with the new version; else `conflict`. */
  put(row: PresenceRow, expected: number): Promise<number>;
  /** Deletes where the version is `expected`; else `conflict`. */
  delete(clientId: string, expected: number): Promise<void>;
  /** Rows of a shard in order of client identifier, after `after`. For the shard's owner at its start. */
  list(shard: number, after: string | null, limit: number): Promise<{ row: PresenceRow; version: number }[]>;
}

export interface SubscriptionRow {
  filter: string;
  options: SubscriptionOptions;
  /** Subscription Identifier. */
  identifier?: number;
  /** Of a shared subscription, unique within the session: tells what it brings apart from what others do. */
  shareId?: string;
  /** Per partition, the last position that had been handed out when the subscription began: what replay must not repeat to it. */
  since: Readonly<Record<string, Position>>;
  /** History that it still has to get before what is new. */
  replay?: Replay;
}

export interface Replay {
  /** Of the SUBSCRIBE that asked. */
  sequence: number;
  /** Where reading goes on, by partition; one that is not here has been read. */
  from: Record<string, ReplayFrom>;
}

/** The entry after a position, the first appended at or after a time in milliseconds since the epoch, or the first that is kept. */
export type ReplayFrom = { after: Position } | { sinceMs: number } | 'earliest';

export interface SessionRow {
  clientId: string;
  generation: number;
  /** Of the owner that wrote it. */
  epoch: number;
  subscriptions: SubscriptionRow[];
  /** Filters whose retained messages have been promised by a SUBACK and not all handed over. */
  retainedDue: RetainedDue[];
  /** Raised for every SUBSCRIBE, so that what it causes can be told apart from what an earlier one did. */
  sequence: number;
}

export interface RetainedDue {
  filter: string;
  options: SubscriptionOptions;
  /** Subscription Identifier. */
  identifier?: number;
  /** The SUBSCRIBE that promised it, by the session's sequence. */
  sequence: number;
  /** As in `SubscriptionRow`, when that SUBSCRIBE came: what is newer comes live. */
  since: Readonly<Record<string, Position>>;
  /** Topic of the last retained message handed over. */
  after: string | null;
}

export interface SessionStore {
  /** Writes unless the stored row has a higher epoch: then `conflict`. */
  put(row: SessionRow): Promise<void>;
  /** Deletes a row of that generation or an older one, and leaves a newer; `conflict` where the stored row has a higher epoch. */
  delete(clientId: string, generation: number, epoch: number): Promise<void>;
  list(shard: number, after: string | null, limit: number): Promise<SessionRow[]>;
  /**
   * Stamps the row with the epoch of a shard's new owner, so that no owner before it writes it any more, and resolves with what it
   * then has; where there is none, one without subscriptions. `conflict` where the stored row has a higher epoch.
   */
  take(clientId: string, generation: number, epoch: number): Promise<SessionRow>;
}

/** Of a session that has subscribed to nothing. */
export function emptySession(clientId: string, generation: number, epoch: number): SessionRow {
  return { clientId, generation, epoch, subscriptions: [], retainedDue: [], sequence: 0 };
}

/** An incoming QoS 2 publication between its PUBLISH and its PUBREL. */
export interface InboundRow {
  /** In the log record's properties, so that an append in doubt can be looked for. */
  token: string;
  /** Milliseconds since the epoch: from when on to look. */
  begunAtMs: number;
  /** Milliseconds since the epoch: when it was tried again last; absent: it was not. */
  retriedAtMs?: number;
  /** Edge process that appends it, where no other has tried: where that asks itself, nobody else's append has to be waited for. */
  edge?: string;
}

/** The row of an exchange that is begun again, from what is there and what the next try would write. */
export function retriedInbound({ token, begunAtMs, edge }: InboundRow, next: InboundRow): InboundRow {
  return { token, begunAtMs, retriedAtMs: next.begunAtMs, ...(edge !== undefined && edge === next.edge && { edge }) };
}

export interface InboundStore {
  /**
   * Writes where the packet identifier is free, and resolves undefined; else writes down that it is tried again (`retriedInbound`)
   * and resolves with what was there before. Of several at once each finds what the one before it has written.
   */
  begin(clientId: string, generation: number, packetId: number, row: InboundRow): Promise<InboundRow | undefined>;
  /** Removes what is there when it is asked for, and nothing that is begun after that, however late it takes effect; resolves false where there was none. */
  end(clientId: string, generation: number, packetId: number): Promise<boolean>;
  /** Rows of one generation. */
  open(clientId: string, generation: number): Promise<InboundRow[]>;
  /** Removes a row as `begin` has written it, unless it was begun again since. */
  forget(clientId: string, generation: number, packetId: number, row: InboundRow): Promise<void>;
  /** Removes all of a client's up to that generation, included. */
  clear(clientId: string, generation: number): Promise<void>;
}

/**
 * A publication that a session owes its client and that the log's checkpoint no longer holds for it.
 * `queued`: never sent; `sent`: sent under `packetId`, not answered; `released`: PUBREC had, PUBREL sent;
 * `done`: finished, kept only until the checkpoint has passed it, so that replay does not send it again.
 */
export interface OutboundRow {
  /** With `position` the row's key and its place in line; whole key: see `session/places.ts`. */
  source: string;
  position: Position;
  /** Where the publication came from: itself for a queued row, the queue's key or the log's place for one in flight. */
  origin: OutboundKey;
  state: 'queued' | 'sent' | 'released' | 'done';
  /** 0 until sent. */
  packetId: number;
  /** After the subscription's maximum was applied. */
  qos: 1 | 2;
  /** As it will be sent, after Retain As Published. */
  retain: boolean;
  /** Subscription Identifiers of the subscriptions that matched. */
  identifiers?: readonly number[];
  /** The shared subscription that chose this session: `$share/group/filter`. */
  share?: string;
  /** null once released. */
  publication: Publication | null;
}

export interface OutboundKey {
  source: string;
  position: Position;
}

export interface OutboundStore {
  put(clientId: string, generation: number, rows: readonly OutboundRow[]): Promise<void>;
  remove(clientId: string, generation: number, keys: readonly OutboundKey[]): Promise<void>;
  /** In order of source, then position. */
  read(clientId: string, generation: number, after: OutboundKey | null, limit: number): Promise<OutboundRow[]>;
  /** Those of a client's, up to that one, included, that have rows; oldest first. For the shard's owner at its start. */
  generations(clientId: string, generation: number): Promise<number[]>;
  /** Removes all of a client's up to that generation, included. */
  clear(clientId: string, generation: number): Promise<void>;
}

export interface RetainedRow {
  topic: string;
  /** Higher wins, compared first by `layout` (of the route), then by `position` as text. */
  layout: number;
  /** Of the log; where `position` is. */
  partition: string;
  position: Position;
  /** null: cleared; kept for a while as a tombstone, so that a late older write does not bring it back. */
  publication: Publication | null;
}

export interface RetainedStore {
  /** Writes unless what is there is as new or newer; resolves whether it wrote. */
  put(row: RetainedRow): Promise<boolean>;
  /**
   * Rows whose topic matches the filter, tombstones left out, in order of topic; `next` is null when that was all.
   * A call may return fewer than `limit` rows, even none, with a `next`: it reads a bounded number of rows.
   */
  match(filter: string, after: string | null, limit: number): Promise<{ rows: RetainedRow[]; next: string | null }>;
}

/** How far a shard is done with a partition. */
export interface CheckpointRow {
  partition: string;
  /** All up to here is done; null, with nothing done above it: the same as no row, which is then removed. */
  low: Position | null;
  /** Done above `low`; bounded, and then leaving out the newest. */
  done: Position[];
}

export interface ShardStore {
  /** Takes the shard for `owner` and resolves with its new epoch, higher than any before. */
  claim(shard: number, owner: string): Promise<number>;
  checkpoints(shard: number): Promise<CheckpointRow[]>;
  /** `conflict` where the shard's epoch is no longer `epoch`. */
  saveCheckpoints(shard: number, epoch: number, rows: readonly CheckpointRow[]): Promise<void>;
}
