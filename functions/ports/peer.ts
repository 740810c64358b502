/**
 * The other end of one transport connection, as an edge sees it: an ordered stream of bytes both ways.
 * A WebSocket's frames need not align with packets [MQTT-6.0.0-4], so neither side of this port speaks of frames.
 */
export interface Peer {
  /** For the log: address and port. */
  readonly address: string;
  /** What the handshake brought to say who it is; absent: nothing. */
  readonly token?: string | undefined;
  /** Bytes handed to `send` that the operating system has not taken yet. */
  readonly bufferedBytes: number;
  /** Bytes are sent in order; after `close` they are dropped. The array is not to be changed afterwards. */
  send(bytes: Uint8Array): void;
  /** Stops and starts reading; what was already read may still arrive. */
  pause(): void;
  resume(): void;
  /** Closes once what was sent is out, or, where the other end does not answer, after a short deadline. */
  close(reason: CloseReason): void;
}

/**
 * Why this side closes; each transport says it in its own way (RFC 6455 section 7.4.1 for WebSocket).
 * `normal` 1000, `going-away` 1001 (shutting down), `protocol-error` 1002, `unsupported-data` 1003 (a text frame),
 * `policy` 1008 (not admitted), `too-big` 1009, `internal-error` 1011.
 */
export type CloseReason =
  | 'normal'
  | 'going-away'
  | 'protocol-error'
  | 'unsupported-data'
  | 'policy'
  | 'too-big'
  | 'internal-error';

/** What happens to a peer, told to whoever `Listen` was given. After `closed` nothing more is told. */
export interface PeerEvents {
  received(bytes: Uint8Array): void;
  /** The transport itself met something it must refuse; the receiver may still `send` a last packet, then `close(reason)`. */
  refused(reason: 'unsupported-data' | 'too-big' | 'protocol-error', text: string): void;
  closed(): void;
}

/** Called for each new peer; returns who is to be told of it. */
export type Accept = (peer: Peer) => PeerEvents;

export interface Listener {
  /** As clients may dial it, with the port that was really bound. */
  readonly url: string;
  /** Takes no new peers from now on; those there are stay. */
  stop(): Promise<void>;
  /** Stops, and cuts whoever is left. */
  close(): Promise<void>;
}
