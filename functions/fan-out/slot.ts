import type { Delivery } from '../session/delivery.js';
import type { SessionState } from '../session/state.js';

/** A session, and where among the recipients of one publication it stands while they are being worked out. */
export interface Slot {
  readonly state: SessionState;
  /** The publication that `at` is about. */
  mark: number;
  at: number;
}

export interface Recipient {
  slot: Slot;
  delivery: Delivery;
}
