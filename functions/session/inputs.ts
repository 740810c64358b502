import type { Position } from '../ports/log.js';
import type {
  Acknowledged,
  Connected,
  Disconnected,
  SubscribeAsked,
  UnsubscribeAsked,
} from '../ports/session-commands.js';
import type { OutboundRow, RetainedRow } from '../ports/store.js';
import type { Publication } from '../topics/publication.js';
import type { Delivery } from './delivery.js';

/** The log is read for a filter: per partition that can hold what it matches, the last position handed out before this. */
export interface FilterRead {
  handedOut: Readonly<Record<string, Position>>;
}

/** The log cannot be read for a filter; why, for its SUBACK (section 3.9.3). */
export interface FilterRefused {
  reasonCode: number;
  text: string;
}

/** Past facts: commands from the edge, publications from the log, and what the driver reports of its effects. */
export type SessionInput =
  | Connected
  | (SubscribeAsked & {
      /** For each of its filters. */
      read: readonly (FilterRead | FilterRefused)[];
    })
  | UnsubscribeAsked
  | Acknowledged
  | (Disconnected & {
      /** The session's shared subscriptions that have another member connected. */
      shared: readonly string[];
    })
  | { type: 'published'; delivery: Delivery }
  | { type: 'session-saved' }
  | { type: 'outbound-stored'; rows: readonly OutboundRow[] }
  | { type: 'outbound-removed' }
  | { type: 'outbound-finished'; packetId: number }
  /** `end`: the store holds nothing behind the last of `rows`. */
  | { type: 'outbound-read'; rows: readonly OutboundRow[]; end: boolean }
  /** One page for one SUBSCRIBE and filter; `next` is null when it was the last. */
  | { type: 'retained-read'; sequence: number; filter: string; rows: readonly RetainedRow[]; next: string | null }
  /** `upTo`: all up to here was looked at. `handedOut`: the last position of the partition that has been handed out, now. */
  | {
      type: 'history-read';
      filter: string;
      sequence: number;
      partition: string;
      publications: readonly { position: Position; publication: Publication }[];
      upTo: Position;
      handedOut: Position;
    }
  /** Where it was not, the session has been resumed, and `connected` is on its way. */
  | { type: 'presence-released'; released: boolean }
  | { type: 'ticked' };
