import { drain, onOutboundRead, onRetainedRead } from './backlog.js';
import { deliver } from './deliver.js';
import type { SessionEffect } from './effects.js';
import { onPresenceReleased } from './ending.js';
import type { SessionInput } from './inputs.js';
import { onAcknowledged } from './on-acknowledged.js';
import { onConnected } from './on-connected.js';
import { onDisconnected } from './on-disconnected.js';
import { onOutboundFinished, onOutboundStored } from './on-outbound-stored.js';
import { onSubscribe, onUnsubscribe } from './on-subscribe.js';
import { onTicked } from './on-ticked.js';
import { onHistoryRead } from './replay.js';
import { onSaved } from './saving.js';
import type { Mode, SessionState } from './state.js';

type Handler<T extends SessionInput['type']> = (
  state: SessionState,
  input: Extract<SessionInput, { type: T }>,
  now: number,
  effects: SessionEffect[],
) => void;

type Row = { readonly [T in SessionInput['type']]?: Handler<T> };

/** What may come in any mode but `ended`: reports of effects, which outlive the connection that caused them. */
const REPORTS: Row = {
  'session-saved': (state, _input, now, effects) => {
    onSaved(state, effects);
    drain(state, now, effects);
  },
  'outbound-stored': onOutboundStored,
  'outbound-removed': (state, _input, now, effects) => {
    state.stored.writing -= 1;
    drain(state, now, effects);
  },
  'outbound-finished': onOutboundFinished,
  'outbound-read': onOutboundRead,
  'retained-read': onRetainedRead,
  'history-read': (state, input, now, effects) => {
    onHistoryRead(state, input, now, effects);
    drain(state, now, effects);
  },
  published: (state, input, now, effects) => deliver(state, input.delivery, now, effects),
  connected: onConnected,
  'presence-released': onPresenceReleased,
  ticked: onTicked,
};

const CONNECTED: Row = {
  ...REPORTS,
  subscribe: onSubscribe,
  unsubscribe: onUnsubscribe,
  acknowledged: onAcknowledged,
  disconnected: onDisconnected,
};

/** The automaton: which fact means what in which mode. Without a cell it comes too late to matter. */
const TABLE: Readonly<Record<Mode, Row>> = {
  offline: REPORTS,
  draining: CONNECTED,
  live: CONNECTED,
  ended: {},
};

/** Advances the state, in place, by one fact and returns what is to be done about it. `now` in milliseconds since the epoch. */
export function stepSession(state: SessionState, input: SessionInput, now: number): SessionEffect[] {
  const effects: SessionEffect[] = [];
  if (isOutdated(state, input)) return effects;
  const handler = TABLE[state.mode][input.type] as Handler<SessionInput['type']> | undefined;
  handler?.(state, input, now, effects);
  return effects;
}

/** Whether a command comes from a connection that has lost the client identifier to a later one. */
function isOutdated(state: SessionState, input: SessionInput): boolean {
  if (!('connectionNumber' in input)) return false;
  if (input.type === 'connected') return input.connectionNumber <= state.connectionNumber;
  return state.connection?.number !== input.connectionNumber;
}
