import type { SessionCommand } from './session-commands.js';

/** How an edge reaches the shard of a session: in one process a function call. Commands of one client arrive in order. */
export interface SessionChannel {
  tell(command: SessionCommand): void;
}

/** How an edge finds the shards. */
export interface SessionChannels {
  /** The way to a client's shard, from its CONNECT to the end of that connection. */
  of(clientId: string): SessionChannel;
}

/** How a shard reaches a client: in one process a function call. */
export interface EdgeChannel {
  /**
   * Bytes of whole packets, in order, for the connection with that number; dropped where it is not there any more.
   * `droppable`: QoS 0, which may be dropped where the client does not take what it is sent.
   */
  deliver(clientId: string, connectionNumber: number, bytes: Uint8Array, droppable: boolean): void;
  /** Resolves when the client has taken most of what it was sent, or is not there any more. */
  drained(clientId: string, connectionNumber: number): Promise<void>;
  /** The connection with that number has the client: one with a lower number, if it is there, has lost it and is closed. */
  takenOver(clientId: string, connectionNumber: number): void;
  /** The shard goes elsewhere, or does not know the connection with that number: it is closed, and its client may come again at once. */
  comeAgain(clientId: string, connectionNumber: number): void;
}
