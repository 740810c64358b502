import type { Connect, Level } from '../mqtt/packets.js';
import { emptyUndecoded, type Undecoded } from '../mqtt/split.js';
import type { Permissions } from '../topics/permissions.js';
import type { Publication } from '../topics/publication.js';

/**
 * What dies with the socket. Plain data: it survives `snapshot` between any two inputs, on which the gateway edge depends.
 *
 * | phase | waits for | packets meanwhile |
 * | --- | --- | --- |
 * | `awaiting-connect` | CONNECT | any other is refused [MQTT-3.1.0-1] |
 * | `authenticating` | the authenticator | unread, in order |
 * | `claiming` | the presence row | unread, in order |
 * | `connected` | the client | answered |
 * | `abandoned` | the presence row, to give it back: the socket went meanwhile | ignored |
 * | `closed` | nothing | ignored |
 */
export type Phase = 'awaiting-connect' | 'authenticating' | 'claiming' | 'connected' | 'abandoned' | 'closed';

export interface ConnectionLimits {
  /** Largest packet taken, fixed header included. */
  packetMaxBytes: number;
  /** Publications with QoS above 0 that a client may have unanswered. */
  receiveMaximum: number;
  /** Publications not yet durable, above which the socket is not read. */
  appendsMax: number;
  appendsMaxBytes: number;
  /** From the socket's opening to a whole CONNECT. */
  connectTimeoutMs: number;
  /** Longest Keep Alive; 0: whatever the client asks. */
  keepAliveMaxS: number;
  sessionExpiryMaxS: number;
  /** Whether a connection may be stepped twice with the same bytes: then rows tell which QoS 2 it has begun, resumed or not. */
  mayRepeat?: boolean;
  /** Keep Alive of every client that can be told of it; absent: as the client asks. */
  keepAliveFixedS?: number;
  /** Topic aliases that a client may use. */
  topicAliasMaximum: number;
  /** Shared subscriptions are not to be had: a share's members would be in several shards. */
  noShares?: boolean;
}

/**
 * A publication with QoS above 0 between its PUBLISH and its answer.
 * QoS 1: `appending` → `done`. QoS 2 of a session that can resume: `beginning` → `ready` → `appending` → `done`,
 * with `resolving` between where an earlier connection may have appended it already.
 */
export interface Unanswered {
  packetId: number;
  status: 'beginning' | 'resolving' | 'ready' | 'appending' | 'done';
  /** Bytes counted against `appendsMaxBytes`. */
  bytes: number;
  reasonCode: number;
  /** As in the effect `append`. */
  begunAtMs?: number;
  /** Why it was refused. */
  reason?: string;
  publication: Publication;
}

/** In order of arrival; the first has the reference `first`, the next `first + 1` and so on. */
export interface Line {
  first: number;
  /** Up to here, exclusively, nothing waits to be appended. */
  issued: number;
  entries: Unanswered[];
}

export interface ConnectionState {
  phase: Phase;
  limits: ConnectionLimits;
  /** What the handshake brought, until the authenticator has seen it. */
  token: string | null;
  /** When the connection is to end because who it is was proven until then only; null: never. */
  expiresAtMs: number | null;
  /** null: everything but what is the server's own. */
  permissions: Permissions | null;
  /** Given to a client that brings none [MQTT-3.1.3-6]; drawn by the driver, and empty once there is no use for it. */
  spareClientId: string;
  undecoded: Undecoded;
  /** What has come and is not looked at yet: before the CONNACK is decided, and while the log is to keep up. */
  unread: Uint8Array[];
  /** Whether a turn is left to other connections in the middle of what is unread. */
  yielding: boolean;
  /** Until the CONNACK. */
  connect: Connect | null;
  level: Level | null;
  clientId: string;
  connectionNumber: number;
  generation: number;
  /** Seconds; 0: the session ends with the connection. */
  sessionExpiryS: number;
  /** Whether the session was there before: the client sends again what it has seen no answer to. */
  isResumed: boolean;
  /** Whether incoming QoS 2 has rows: the session will be resumed, or was, and may have some that an earlier connection began. */
  keepsInbound: boolean;
  /** Largest packet that the client takes; null: no bound. */
  takesMaxBytes: number | null;
  /** Whether it wants Reason Strings with any answer: Request Problem Information [MQTT-3.1.2-29]. */
  wantsReasons: boolean;
  /** 0: off. */
  keepAliveMs: number;
  lastReceivedAtMs: number;
  /** Topics by the alias that the client gave them. */
  aliases: Record<number, string>;
  /** By QoS, because order is promised within one only [MQTT-4.6.0-2] [MQTT-4.6.0-3]. */
  lines: Record<1 | 2, Line>;
  /** Packet identifiers of QoS 2 in use: its PUBREC waits, or is sent and the PUBREL is not here yet. */
  exchanges: Record<number, 'unanswered' | 'received'>;
  exchangeCount: number;
  /** Publications taken and not durable yet, of any QoS. */
  appends: number;
  appendBytes: number;
  /** Whether the driver has been told to stop reading. */
  paused: boolean;
}

export function initialConnection(
  options: { limits: ConnectionLimits; spareClientId: string; token?: string | undefined },
  now: number,
): ConnectionState {
  return {
    phase: 'awaiting-connect',
    limits: options.limits,
    token: options.token ?? null,
    expiresAtMs: null,
    permissions: null,
    spareClientId: options.spareClientId,
    undecoded: emptyUndecoded(),
    unread: [],
    yielding: false,
    connect: null,
    level: null,
    clientId: '',
    connectionNumber: 0,
    generation: 0,
    sessionExpiryS: 0,
    isResumed: false,
    keepsInbound: false,
    takesMaxBytes: null,
    wantsReasons: true,
    keepAliveMs: 0,
    lastReceivedAtMs: now,
    aliases: {},
    lines: { 1: { first: 0, issued: 0, entries: [] }, 2: { first: 0, issued: 0, entries: [] } },
    exchanges: {},
    exchangeCount: 0,
    appends: 0,
    appendBytes: 0,
    paused: false,
  };
}

/** How many times the time for CONNECT its answer may take. */
const ANSWER_PATIENCE = 3;

/** When the machine wants a `ticked`, in milliseconds since the epoch; null: not by itself. */
export function connectionDeadline(state: ConnectionState): number | null {
  switch (state.phase) {
    case 'awaiting-connect':
      return state.lastReceivedAtMs + state.limits.connectTimeoutMs;
    case 'authenticating':
    case 'claiming':
      // It is not the client that is late: where authenticator or store are slow, refusing it helps nobody.
      return state.lastReceivedAtMs + state.limits.connectTimeoutMs * ANSWER_PATIENCE;
    case 'connected':
      return earlier(silenceEndsAtMs(state), state.expiresAtMs);
    case 'abandoned':
    case 'closed':
      return null;
  }
}

/** One and a half times the Keep Alive [MQTT-3.1.2-22]. Nothing is heard from a socket that is not read. */
function silenceEndsAtMs(state: ConnectionState): number | null {
  return state.keepAliveMs === 0 || state.paused ? null : state.lastReceivedAtMs + state.keepAliveMs * 1.5;
}

function earlier(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : Math.min(one, other);
}

/** Whether what the client showed of itself is valid no more. */
export function hasExpired({ phase, expiresAtMs }: ConnectionState, now: number): boolean {
  return phase === 'connected' && expiresAtMs !== null && now >= expiresAtMs;
}

/** Whether the socket is gone or going. */
export function isOver({ phase }: ConnectionState): boolean {
  return phase === 'closed' || phase === 'abandoned';
}

export function entryOf(state: ConnectionState, qos: 1 | 2, reference: number): Unanswered | undefined {
  const line = state.lines[qos];
  return line.entries[reference - line.first];
}
