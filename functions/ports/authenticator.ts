import type { Permissions } from '../topics/permissions.js';

/** What a client shows of itself in CONNECT and before it, and where it comes from. */
export interface Credentials {
  clientId: string;
  username: string | undefined;
  password: Uint8Array | undefined;
  /** What the WebSocket handshake brought in its URL or its Authorization header; absent: nothing. */
  token?: string | undefined;
  /** Peer address as text, for the log. */
  peer: string;
}

/** What somebody who may come in is, and for how long. */
export interface Admission {
  principal: string;
  /** Milliseconds since the epoch at which the connection is to end; absent: never for this reason. */
  expiresAtMs?: number;
  /** Absent: everything but what is the server's own. */
  permissions?: Permissions;
}

/** `refused` is 0x86, or 0x87 where who it is is known but may not come in. `why` is for the log. */
export type Verdict = ({ admitted: true } & Admission) | { admitted: false; known: boolean; why?: string };

/** Both reject with `PortError` `unavailable` where it cannot be told: the client is answered 0x88, or 503, and may try again. */
export interface Authenticator {
  authenticate(credentials: Credentials): Promise<Verdict>;
  /** Whether a token that a handshake brings is good, before there is a connection. Absent: tokens mean nothing here. */
  checkToken?(token: string): Promise<boolean>;
}
