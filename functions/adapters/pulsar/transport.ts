import { PortError } from '../../ports/errors.js';
import type { LogEntry, LogRecord, Position, Receipt } from '../../ports/log.js';
import { isPlace, type MessageId } from './message-id.js';

/** Where a source begins: with all of this entry or, where it is gone, the next; or with the first that is kept. */
export type Start = Pick<MessageId, 'ledgerId' | 'entryId'> | 'earliest';

/** What differs between Pulsar's own WebSocket API and its native client; topics and partitions by their full names. */
export interface Transport {
  /** Opens a producer; `onLost` is called once, when it can take nothing more. Rejects with `PortError`. */
  openProducer(topic: string, onLost: () => void): Promise<TransportProducer>;
  /** With a name, as the durable subscription of that name. Rejects with `PortError`. */
  openSource(partition: string, start: Start, name: string | undefined): Promise<Source>;
  close(): Promise<void>;
}

/** Of one record: one of the two is called, once, and not before `send` has returned. A promise would cost each publication more. */
export interface Outcome {
  appended(receipt: Receipt): void;
  failed(error: unknown): void;
}

/**
 * What became of a message that Pulsar took. A topic that deduplicates answers one that it had before, as when a producer sends
 * it again to the topic's next owner, with the id (-1,-1): it is in the log, nobody says where, and it counts as in doubt.
 */
export function appendedAt(receipt: Receipt, outcome: Outcome): void {
  if (isPlace(receipt.position)) return outcome.appended(receipt);
  const problem = `${receipt.partition} has the message from before, and Pulsar does not say where`;
  outcome.failed(new PortError('unavailable', problem));
}

/** One connection's producer: what is sent first is in the log first. Once lost it is of no more use. */
export interface TransportProducer {
  /** Fails `too-large` before anything is sent, `unavailable` where it is in doubt. */
  send(record: LogRecord, outcome: Outcome): void;
  /** null: send; else the connection may be dead, and is lost or lives once this resolves. Left out: it sends again by itself. */
  probe?(): Promise<void> | null;
  /** What is in flight fails. */
  close(): Promise<void>;
}

/** One connection's consumer or reader. May begin with the entry before its start; never leaves anything out from there on. */
export interface Source {
  /** One or more entries in order, at most `limit`. Rejects `unavailable` once the connection is lost. One call at a time. */
  next(limit: number): Promise<readonly LogEntry[]>;
  /** Moves the durable subscription up to `position`; without a name, does nothing. */
  acknowledge(position: Position): Promise<void>;
  /** What waits is rejected. */
  close(): Promise<void>;
}
