import type { SessionEffect } from '../session/effects.js';
import type { FilterRefused, SessionInput } from '../session/inputs.js';
import type { SessionState } from '../session/state.js';

/** What a shard cannot do itself; `obey` is called while the shard steps, in order, and must not call back into it. */
export type Obey = (session: SessionState, effect: ShardEffect) => void;

/** What is read of the log for a filter: its partitions, or why it cannot be. */
export type Read = { partitions: readonly string[] } | FilterRefused;

/** What the driver reports of its effects; the shard adds what only it knows. */
export type Report =
  | Exclude<SessionInput, { type: 'history-read' }>
  | Omit<Extract<SessionInput, { type: 'history-read' }>, 'handedOut'>;

/** A session's effects, less those that the shard itself obeys, and with what only the shard knows. */
export type ShardEffect =
  | Exclude<SessionEffect, { type: 'settle' | 'hand-back' | 'index' | 'unindex' | 'finish-outbound' | 'end-session' }>
  /** `passed`: the saved checkpoint is past its origin already, so the row can go at once. → `outbound-finished` */
  | (Extract<SessionEffect, { type: 'finish-outbound' }> & { passed: boolean })
  /** `replaced`: the presence row is a new session's by now. */
  | { type: 'end-session'; stored: boolean; replaced: boolean };
