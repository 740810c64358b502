import type { OutboundKey } from '../ports/store.js';
import type { Publication } from '../topics/publication.js';

/** A publication as this session is to get it. */
export interface Delivery {
  /** Where it came from: see `places.ts`. */
  source: string;
  position: string;
  publication: Publication;
  /** The lower of the publication's and the subscription's [MQTT-3.8.4-8]. */
  qos: 0 | 1 | 2;
  /** As it is to be sent. */
  retain: boolean;
  /** Subscription Identifiers of the subscriptions that matched. */
  identifiers?: readonly number[];
  /** Whether the log's checkpoint waits until this is answered or saved. */
  held: boolean;
  /** The shared subscription that chose this session, as its members wrote it: `$share/group/filter`. */
  share?: string;
  /** Whether that has members whose sessions outlive their connections, so that it is owed to them if this one goes. */
  othersKeep?: boolean;
}

/** A delivery until the window opens. */
export interface Waiting extends Delivery {
  /** Milliseconds since the epoch. */
  sinceMs: number;
}

/** A publication of a shared subscription that its member has not had, or not answered; another may take it [MQTT-4.8.2-5]. */
export interface HandedBack {
  share: string;
  /** As in the delivery. */
  place: OutboundKey;
  publication: Publication;
  held: boolean;
  /** Whether the store may have it for the session that gives it up. */
  stored: boolean;
}

/**
 * QoS 1: `ready` → `sent`. QoS 2: `saving` (not sent before it is durable) → `ready` → `sent` → `releasing` (PUBREC being
 * saved) → `releasable` → `released` (PUBREL sent) → `finishing` (PUBCOMP being saved).
 *
 * What is `ready` waits for all before it in `toSend`, what is `releasable` for all before it in `toRelease`: writes may
 * finish in any order, packets go out in one.
 */
export interface InFlight {
  packetId: number;
  /** Of sending, within the session. */
  order: number;
  qos: 1 | 2;
  phase: 'saving' | 'ready' | 'sent' | 'releasing' | 'releasable' | 'released' | 'finishing';
  origin: OutboundKey;
  /** null once released. */
  publication: Publication | null;
  retain: boolean;
  identifiers?: readonly number[];
  share?: string;
  bytes: number;
  sentAtMs: number;
  /** A row under `inFlightKey(order)` holds it. */
  saved: boolean;
  /** A row of the queue under `origin` holds it. */
  queued: boolean;
  /** The checkpoint does not wait for it any more. */
  settled: boolean;
}
