/** What a client shows of itself in CONNECT, and where it comes from. */
export interface Credentials {
  clientId: string;
  username: string | undefined;
  password: Uint8Array | undefined;
  /** Peer address as text, for the log. */
  peer: string;
}

/** `refused` is 0x86, or 0x87 where who it is is known but may not come in. */
export type Verdict = { admitted: true; principal: string } | { admitted: false; known: boolean };

/** Rejects with `PortError` `unavailable` where it cannot tell: the client is answered 0x88 and may try again. */
export interface Authenticator {
  authenticate(credentials: Credentials): Promise<Verdict>;
}
