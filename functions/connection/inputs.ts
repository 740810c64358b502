import type { Admission } from '../ports/authenticator.js';
import type { PortErrorCode } from '../ports/errors.js';
import type { InboundRow, WaitingWill } from '../ports/store.js';

/** Past facts, from the socket and from the driver about effects it was given. `reference` names the publication of that QoS. */
export type Input =
  | { type: 'bytes-received'; bytes: Uint8Array }
  /** The transport itself refused something, such as a text frame [MQTT-6.0.0-1]. */
  | { type: 'peer-refused'; reason: 'unsupported-data' | 'too-big' | 'protocol-error'; text: string }
  | { type: 'peer-closed' }
  | { type: 'authenticated'; verdict: 'refused' | 'not-authorized' | 'unavailable' }
  | ({ type: 'authenticated'; verdict: 'admitted' } & Pick<Admission, 'expiresAtMs' | 'permissions'>)
  | {
      type: 'claimed';
      connectionNumber: number;
      generation: number;
      sessionPresent: boolean;
      will: WaitingWill | null;
      leftWills: readonly WaitingWill[];
    }
  | { type: 'claim-failed'; code: PortErrorCode }
  /** The publication is durable, and its retained row where it has one. */
  | { type: 'appended'; qos: 0 | 1 | 2; reference: number; bytes: number }
  | { type: 'append-failed'; qos: 0 | 1 | 2; reference: number; bytes: number; code: PortErrorCode }
  /** `existing` is what an earlier connection began under this packet identifier and no PUBREL ended. */
  | { type: 'inbound-begun'; reference: number; existing: InboundRow | null }
  /** `begunAtMs`: since when the row says that it is this connection's to append; absent: since the PUBLISH. */
  | { type: 'append-resolved'; reference: number; found: boolean; begunAtMs?: number }
  | { type: 'inbound-ended'; packetId: number; existed: boolean }
  /** Ended only to make room for an answer that refuses the publication. */
  | { type: 'inbound-dropped'; reference: number }
  /** A step of the store or the log that an incoming QoS 2 publication needs did not happen. */
  | { type: 'inbound-failed'; code: PortErrorCode }
  /** Another connection has won the client identifier. */
  | { type: 'taken-over' }
  /** The shard of the session has another owner: the client is to come again, and goes on there. */
  | { type: 'shard-moved' }
  | { type: 'yielded' }
  | { type: 'shutting-down' }
  | { type: 'ticked' };
