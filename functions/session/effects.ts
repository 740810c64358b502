import type { ServerPacket } from '../mqtt/packets.js';
import type {
  OutboundKey,
  OutboundRow,
  ReplayFrom,
  RetainedDue,
  SessionRow,
  SubscriptionRow,
  WaitingWill,
} from '../ports/store.js';
import type { Publication } from '../topics/publication.js';
import type { HandedBack } from './delivery.js';

/** A PUBLISH to this session's client. `packetId` 0: QoS 0. */
export interface PublishToClient {
  publication: Publication;
  qos: 0 | 1 | 2;
  retain: boolean;
  dup: boolean;
  packetId: number;
  /** Message Expiry Interval as it is now; null: none. */
  secondsLeft: number | null;
  identifiers?: readonly number[];
  /** `isNew`: the packet that tells the client what the alias stands for; it must not be dropped. */
  alias?: { number: number; isNew: boolean };
}

/** Commands for the shard and its driver. One that has an outcome names the input that reports it. */
export type SessionEffect =
  | { type: 'send-publish'; publish: PublishToClient }
  | { type: 'send'; packet: ServerPacket }
  /** → `session-saved` */
  | { type: 'save-session'; row: Omit<SessionRow, 'epoch'> }
  | { type: 'index'; subscriptions: readonly SubscriptionRow[] }
  | { type: 'unindex'; filters: readonly string[] }
  /** → `outbound-stored`; `settles`: with that, the checkpoint need not wait for them any more. */
  | { type: 'store-outbound'; rows: readonly OutboundRow[]; settles: boolean }
  /** → `outbound-removed` */
  | { type: 'remove-outbound'; keys: readonly OutboundKey[] }
  /** Keep the row, which is `done`, until the checkpoint has passed its origin. → `outbound-finished` */
  | { type: 'finish-outbound'; row: OutboundRow }
  /** → `outbound-read` */
  | { type: 'read-outbound'; after: OutboundKey | null; limit: number }
  /** → `retained-read` */
  | { type: 'read-retained'; due: RetainedDue; limit: number }
  /** What of the log matches `filter`, at most `limit` publications. → `history-read` */
  | { type: 'read-history'; filter: string; sequence: number; partition: string; from: ReplayFrom; limit: number }
  /** The session needs this place of the log no more. */
  | { type: 'settle'; place: OutboundKey }
  /** Other members of their shared subscriptions are to have these. */
  | { type: 'hand-back'; publications: readonly HandedBack[] }
  | { type: 'publish-will'; will: WaitingWill }
  /** The session's time is over: make sure that nobody can resume it. → `presence-released` */
  | { type: 'release-presence' }
  /** The session is over: forget it, here and in the store. */
  | { type: 'end-session'; stored: boolean }
  | { type: 'count'; name: string; by: number };
