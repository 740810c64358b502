import type { ServerPacket } from '../mqtt/packets.js';
import type { CloseReason } from '../ports/peer.js';
import type { SessionCommand } from '../ports/session-commands.js';
import type { WaitingWill } from '../ports/store.js';
import type { LogLevel } from '../ports/telemetry.js';
import type { Publication } from '../topics/publication.js';

/** Commands for the driver. One that has an outcome names the input that reports it. */
export type Effect =
  /** Only ever produced by the input that reports as durable what the packet promises. */
  | { type: 'send'; packet: ServerPacket }
  | { type: 'close'; reason: CloseReason }
  | { type: 'pause-reading' }
  | { type: 'resume-reading' }
  /** Let other connections have a turn. → `yielded` */
  | { type: 'yield' }
  /** → `authenticated` */
  | {
      type: 'authenticate';
      clientId: string;
      username: string | undefined;
      password: Uint8Array | undefined;
      token: string | undefined;
    }
  /** Raise the connection number in the presence row, see `claim.ts`. → `claimed`, `claim-failed` */
  | { type: 'claim'; claim: Claim }
  /** To the log, and with RETAIN to the retained row after it. → `appended`, `append-failed` */
  | {
      type: 'append';
      qos: 0 | 1 | 2;
      reference: number;
      bytes: number;
      publication: Publication;
      /** Of QoS 2: since when the row says that it is this connection's to append; absent: since the PUBLISH. */
      begunAtMs?: number;
    }
  /** → `inbound-begun`, `inbound-failed` */
  | { type: 'begin-inbound'; reference: number; packetId: number; token: string; begunAtMs: number }
  /** Was an append with this token made? → `append-resolved`, `inbound-failed` */
  | {
      type: 'resolve-append';
      reference: number;
      publication: Publication;
      token: string;
      sinceMs: number;
      /** When somebody before this connection has tried it last. */
      lastMs: number;
      packetId: number;
      edge?: string;
    }
  /** → `inbound-ended`, `inbound-failed` */
  | { type: 'end-inbound'; packetId: number }
  /** → `inbound-dropped`, `inbound-failed` */
  | { type: 'drop-inbound'; reference: number; packetId: number }
  | { type: 'tell-session'; command: SessionCommand }
  /** Write into the presence row that the connection is over, if it is still this one's; then tell the shard. */
  | { type: 'leave'; sessionExpiryS: number; will: 'publish' | 'discard'; atMs: number }
  | { type: 'count'; name: string }
  | { type: 'report'; level: LogLevel; event: string; clause?: string; text: string };

/** What a CONNECT asks of the presence row. */
export interface Claim {
  clientId: string;
  cleanStart: boolean;
  sessionExpiryS: number;
  /** `connectionNumber` is filled in when it is known. */
  will: Omit<WaitingWill, 'connectionNumber'> | null;
}
