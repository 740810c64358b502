import { REASON, refusal } from '../mqtt/reason-codes.js';
import type { Effect } from './effects.js';
import type { Input } from './inputs.js';
import { onAppended, onAppendFailed } from './on-appended.js';
import { onAuthenticated } from './on-authenticated.js';
import { onClaimed, onClaimedTooLate, onClaimFailed } from './on-claimed.js';
import { onPeerClosed, onPeerRefused, onShardMoved, onShuttingDown, onTakenOver } from './on-ending.js';
import {
  onAppendResolved,
  onInboundBegun,
  onInboundDropped,
  onInboundEnded,
  onInboundFailed,
} from './on-inbound-stored.js';
import { onYielded, readOn } from './reading.js';
import { refuse } from './refuse.js';
import { type ConnectionState, connectionDeadline, hasExpired, type Phase } from './state.js';

/** Bytes at a time that show that the client is there, though no packet is complete. */
const PROGRESS_BYTES = 1024;

const EXPIRED = refusal(REASON.maximumConnectTime, 'section 3.14.2.1', 'the token of the connection has expired');

type Handler<T extends Input['type']> = (
  state: ConnectionState,
  input: Extract<Input, { type: T }>,
  now: number,
  effects: Effect[],
) => void;

type Row = { readonly [T in Input['type']]?: Handler<T> };

const ENDINGS: Row = {
  'bytes-received': onBytesReceived,
  yielded: onYielded,
  'peer-refused': onPeerRefused,
  'peer-closed': onPeerClosed,
  'shutting-down': onShuttingDown,
  'shard-moved': onShardMoved,
  ticked: onTicked,
};

/** The automaton: which fact means what in which phase. A fact without a cell can only be a defect, but once the socket is gone most do not matter any more. */
const TABLE: Readonly<Record<Phase, Row>> = {
  'awaiting-connect': ENDINGS,
  authenticating: { ...ENDINGS, authenticated: onAuthenticated },
  claiming: { ...ENDINGS, claimed: onClaimed, 'claim-failed': onClaimFailed },
  connected: {
    ...ENDINGS,
    appended: onAppended,
    'append-failed': onAppendFailed,
    'inbound-begun': onInboundBegun,
    'append-resolved': onAppendResolved,
    'inbound-ended': onInboundEnded,
    'inbound-dropped': onInboundDropped,
    'inbound-failed': onInboundFailed,
    'taken-over': onTakenOver,
  },
  abandoned: { claimed: onClaimedTooLate, 'claim-failed': onAbandonedClaimFailed },
  closed: {},
};

/** Advances the state, in place, by one fact and returns what is to be done about it. `now` in milliseconds since the epoch. */
export function step(state: ConnectionState, input: Input, now: number): Effect[] {
  const effects: Effect[] = [];
  const handler = TABLE[state.phase][input.type] as Handler<Input['type']> | undefined;
  if (handler) {
    handler(state, input, now, effects);
    if (state.unread.length > 0) readOn(state, now, effects);
  } else if (state.phase !== 'closed' && state.phase !== 'abandoned') {
    throw new Error(`${input.type} cannot happen while ${state.phase}`);
  }
  return effects;
}

/** Many bytes are as good as a packet to Keep Alive: a large one takes its time. Few are not [MQTT-3.1.2-22]. */
function onBytesReceived(
  state: ConnectionState,
  input: { type: 'bytes-received'; bytes: Uint8Array },
  now: number,
  effects: Effect[],
): void {
  if (hasExpired(state, now)) return refuse(state, EXPIRED, now, effects);
  if (input.bytes.length === 0) return;
  state.unread.push(input.bytes);
  if (state.phase === 'connected' && input.bytes.length >= PROGRESS_BYTES) state.lastReceivedAtMs = now;
}

function onTicked(state: ConnectionState, _input: { type: 'ticked' }, now: number, effects: Effect[]): void {
  const deadline = connectionDeadline(state);
  if (deadline === null || now < deadline) return;
  if (hasExpired(state, now)) return refuse(state, EXPIRED, now, effects);
  refuse(
    state,
    state.phase === 'connected'
      ? refusal(
          REASON.keepAliveTimeout,
          'MQTT-3.1.2-22',
          'nothing was received for one and a half times the Keep Alive',
        )
      : refusal(REASON.maximumConnectTime, 'section 3.1', 'no CONNECT was completed in time'),
    now,
    effects,
  );
}

function onAbandonedClaimFailed(state: ConnectionState): void {
  state.phase = 'closed';
}
