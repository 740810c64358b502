import type { Acknowledgement, Level, SubscriptionRequest } from '../mqtt/packets.js';
import type { WaitingWill } from './store.js';

/**
 * What an edge tells the shard that owns a session. In one process a function call, between processes a message on the
 * shard's command topic: plain data either way. A command of a lower connection number than the session has seen is ignored.
 */
export type SessionCommand = Connected | SubscribeAsked | UnsubscribeAsked | Acknowledged | Disconnected;

interface FromConnection {
  clientId: string;
  connectionNumber: number;
}

/** The presence row is written; the CONNACK may already be on its way. */
export interface Connected extends FromConnection {
  type: 'connected';
  /** A higher one than the session's own means that it began anew. */
  generation: number;
  level: Level;
  /** Publications with QoS above 0 that the client takes unanswered. */
  receiveMaximum: number;
  /** Bytes of the largest packet that the client takes; null: no bound. */
  packetMaxBytes: number | null;
  /** Whether its answers may carry Reason Strings. */
  wantsReasons: boolean;
  /** Topic aliases that the client takes; 0: none. */
  topicAliasMaximum: number;
  /** Seconds. */
  sessionExpiryS: number;
  /** Of this connection. */
  will: WaitingWill | null;
  /** Of earlier connections: to be published. */
  leftWills: readonly WaitingWill[];
  /** When the connection is to end, should nobody end it before; absent: never. Milliseconds since the epoch. */
  expiresAtMs?: number;
  /** Filters that cover what the client may subscribe to; absent: everything. */
  maySubscribe?: readonly string[];
}

export interface SubscribeAsked extends FromConnection {
  type: 'subscribe';
  packetId: number;
  subscriptions: readonly SubscriptionRequest[];
  /** Of all of them; null: none. */
  identifier: number | null;
  /** For each of them, the reason code of why the client cannot have it, 0 where it can; absent: it can have all. */
  denied?: readonly number[];
  /** From when on history is wanted first, as the client wrote it; null: not at all. */
  from: string | null;
}

export interface UnsubscribeAsked extends FromConnection {
  type: 'unsubscribe';
  packetId: number;
  filters: readonly string[];
}

/** The client answered a publication: PUBACK, PUBREC or PUBCOMP. */
export interface Acknowledged extends FromConnection {
  type: 'acknowledged';
  answer: Acknowledgement['type'];
  packetId: number;
  reasonCode: number;
}

/** The connection is over and the presence row says so. */
export interface Disconnected extends FromConnection {
  type: 'disconnected';
  /** Milliseconds since the epoch. */
  atMs: number;
  /** Seconds, as last agreed. */
  sessionExpiryS: number;
  /** `publish` unless the client sent a DISCONNECT that discards it [MQTT-3.14.4-3]. */
  will: 'publish' | 'discard';
}
