import { newOutbox, type Outbox } from './outbox.js';
import { newWorkerOrder, type WorkerOrder } from './worker-order.js';

/**
 * The client half of one MQTT connection, over as many WebSockets as it takes. Plain data.
 *
 * | phase | frames | waits for |
 * | --- | --- | --- |
 * | `opening` | none | the first socket |
 * | `open` | one at a time on `current`, none while it is null or `opening` is not | whatever comes |
 * | `closing` | the same, until all that was written is answered | the last answer |
 * | `closed` | none | nothing |
 */
export type Phase = 'opening' | 'open' | 'closing' | 'closed';

export interface ClientState {
  phase: Phase;
  timing: Timing;
  outbox: Outbox;
  order: WorkerOrder;
  /** From the first answer; null: the connection cannot be resumed. */
  token: string | null;
  /** Sockets by number, in the order in which they were opened; null: none. */
  opening: number | null;
  current: number | null;
  /** The one before `current`: nothing is sent on it, but worker frames and a late answer may still come. */
  former: number | null;
  /** Of the last socket that was asked for. */
  sockets: number;
  /** Whether the server has answered on `current`. */
  isConfirmed: boolean;
  /** The socket on which the frame in flight was sent last: an answer elsewhere is to an earlier sending of it. */
  sentOn: number;
  /** Attempts to resume, or to be heard, since the last answer. */
  attempts: number;
  /** Whether `current` is to be replaced as soon as nothing is in flight. */
  isAged: boolean;
  deadlines: Partial<Record<Deadline, number>>;
  /** Code and reason that the user gave to its close. */
  asked: { code: number; reason: string };
  /** Of the generator behind `draw`. */
  seed: number;
}

/** Points in time, in milliseconds of the caller's clock. */
export type Deadline =
  /** The WebSocket being opened has not opened: it never will. */
  | 'opened'
  /** The frame in flight has no answer. */
  | 'answered'
  /** Nothing was sent for so long that API Gateway would soon close. */
  | 'heartbeat'
  /** API Gateway will close this socket soon, whatever happens on it. */
  | 'renewed'
  /** The next attempt to resume. */
  | 'retry'
  /** The frame in flight is to be sent again: the server could not deal with it for now. */
  | 'again'
  /** Nothing was answered for too long: it is given up. */
  | 'resumed'
  /** A worker frame is missing and the ones after it are there. */
  | 'ordered'
  /** Nothing more comes on the former socket. */
  | 'lingered'
  /** What was written before the close has waited long enough. */
  | 'flushed';

/** All in milliseconds. */
export interface Timing {
  /** For an answer. API Gateway gives an integration 29 s. */
  answerMs: number;
  /** For a WebSocket to open. */
  openMs: number;
  /** Without a frame sent. API Gateway closes after 600,000. */
  heartbeatMs: number;
  /** Age at which a socket is replaced; up to `renewJitterMs` less. API Gateway closes at 7,200,000. */
  renewMs: number;
  renewJitterMs: number;
  /** From a loss, or from a frame that the server could not deal with, until it is given up. */
  resumeMs: number;
  /** Before the second attempt; doubled for each that follows, and drawn between half of that and all. */
  retryMs: number;
  /** For a worker frame that others have overtaken. */
  orderMs: number;
  /** How long a replaced socket is read. */
  lingerMs: number;
  /** How long what was written last, a DISCONNECT for instance, is waited for once the user closes. */
  flushMs: number;
}

export const TIMING: Timing = {
  answerMs: 30_000,
  openMs: 15_000,
  heartbeatMs: 540_000,
  renewMs: 6_600_000,
  renewJitterMs: 600_000,
  resumeMs: 30_000,
  retryMs: 500,
  orderMs: 10_000,
  lingerMs: 30_000,
  flushMs: 5_000,
};

export type Input =
  | { type: 'opened'; socket: number }
  /** `text` null: a binary message. */
  | { type: 'received'; socket: number; text: string | null }
  | { type: 'lost'; socket: number; code: number; reason: string }
  | { type: 'written'; bytes: Uint8Array }
  | { type: 'close-asked'; code: number; reason: string }
  | { type: 'ticked' };

export type Effect =
  /** `query`: to be added to the URL. → `opened`, `lost` */
  | { type: 'open'; socket: number; query: string }
  | { type: 'send'; socket: number; text: string }
  | { type: 'close'; socket: number; code: number }
  /** To the user: bytes may be written. */
  | { type: 'ready' }
  /** To the user: whole packets. */
  | { type: 'deliver'; bytes: Uint8Array }
  /** To the user, once: nothing more will come. */
  | { type: 'ended'; code: number; reason: string };

/** Close codes: what the user is told, and of sockets what the server is told. */
export const CLOSE = {
  normal: 1000,
  protocolError: 1002,
  lost: 1006,
  tooLarge: 1009,
  /** The server does not know the connection any more: the client is to connect anew. */
  unknown: 1011,
  /** Another socket has taken over, or is about to. */
  replaced: 4001,
} as const;

/** `seed`: any integer, different from client to client. */
export function newClientState(seed: number, timing: Timing = TIMING): ClientState {
  return {
    phase: 'opening',
    timing,
    outbox: newOutbox(),
    order: newWorkerOrder(),
    token: null,
    opening: null,
    current: null,
    former: null,
    sockets: 0,
    isConfirmed: false,
    sentOn: 0,
    attempts: 0,
    isAged: false,
    deadlines: {},
    asked: { code: CLOSE.normal, reason: '' },
    seed,
  };
}

/** The next number between 0 and 1 of a linear congruential generator: enough to spread clients out. */
export function draw(state: ClientState): number {
  state.seed = (Math.imul(state.seed, 1_664_525) + 1_013_904_223) >>> 0;
  return state.seed / 0x1_0000_0000;
}

/** When `ticked` is due; null: not before another input. */
export function nextDeadline({ deadlines }: ClientState): number | null {
  const times = Object.values(deadlines);
  return times.length === 0 ? null : Math.min(...times);
}
