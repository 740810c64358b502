/** What happened, as the clients saw it, in the words of the checks. A step counts events of the whole simulation. */

export interface Published {
  /** Its payload. */
  id: string;
  client: string;
  /** Rises with every publication of the client. */
  number: number;
  topic: string;
  qos: 0 | 1 | 2;
  retain: boolean;
  /** Whether it may go away by itself. */
  expires: boolean;
  sentStep: number;
  /** PUBACK or PUBREC without an error; null: none yet. */
  answeredStep: number | null;
}

export interface Subscribed {
  filter: string;
  /** What of it topics match: all, or what follows the name of a share. */
  matches: string;
  /** Whether all that the log has was asked for, too. */
  history: boolean;
  qos: 0 | 1 | 2;
  sentStep: number;
  /** null: no SUBACK yet. */
  answeredStep: number | null;
  /** The first UNSUBSCRIBE after it; null: none. */
  endAskedStep: number | null;
  endedStep: number | null;
}

export interface Received {
  step: number;
  id: string;
  topic: string;
  qos: 0 | 1 | 2;
  retain: boolean;
  dup: boolean;
  /** Subscription Identifiers. */
  identifiers: readonly number[];
}

/** From a CONNACK without "session present" until the next such, or until the client knows that it is over. */
export interface Session {
  client: string;
  subscribed: Subscribed[];
  /** What reached the application: QoS 2 once per packet identifier. */
  received: Received[];
  /** When the client knew it over; null: it is not. */
  overStep: number | null;
  /** When its shard surely knew that, too: it had answered a SUBSCRIBE of the next session. Until then it may still choose it. */
  shardKnewStep: number | null;
}

/** A will and the connection that left it. */
export interface Will {
  published: Published;
  delayS: number;
  /** Whether the client had its CONNACK. */
  connected: boolean;
  /** When the client knew its connection over. */
  lostAtMs: number | null;
  /** When the client's end broke it; null: it did not. */
  brokenAtMs: number | null;
  /** When the server surely knew, by itself or by a restart. */
  serverLostAtMs: number | null;
  /** DISCONNECT: sent; reached a process; and that process had time enough to deal with it. */
  disconnect: 'none' | 'sent' | 'arrived' | 'done';
  /** The client's next CONNECT: when it was sent, and how it was answered; null: it was not. */
  nextConnectAtMs: number | null;
  nextConnackAtMs: number | null;
  nextPresent: boolean | null;
}

export interface Facts {
  published: Map<string, Published>;
  sessions: Session[];
  wills: Will[];
}
