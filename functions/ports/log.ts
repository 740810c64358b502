/**
 * The log: where publications are kept, in order, before anybody is told that they are. Pulsar, or its stand-in on one machine.
 * The words are Pulsar's: a topic has one or more partitions, a key decides which, order holds within a partition.
 */

/** Names a place in one partition. Opaque, but sorts as plain text within that partition. */
export type Position = string;

export interface LogRecord {
  /** Messages of one key share a partition, and so keep their order. */
  key: string;
  payload: Uint8Array;
  /** Pulsar message properties: text to text. */
  properties: Readonly<Record<string, string>>;
}

export interface LogEntry {
  partition: string;
  position: Position;
  /** As in `Receipt`. */
  layout?: number;
  /** Milliseconds since the epoch, as the log saw it. */
  appendedAtMs: number;
  record: LogRecord;
}

export interface Receipt {
  partition: string;
  position: Position;
  /** Rises where a key has moved to another partition, since positions of two partitions cannot be compared; absent: 0. */
  layout?: number;
}

/** The entry after a position, the first appended at or after a time (milliseconds since the epoch, as the log saw it), or the first that is kept. */
export type HistoryFrom = { after: Position } | { sinceMs: number } | 'earliest';

/** Or the next to come. */
export type From = HistoryFrom | 'latest';

export interface ReadOptions {
  /**
   * Who reads. The log keeps what this reader has not acknowledged for as long as it is not told otherwise, whether the
   * reader is open or not. Without a name it keeps nothing for it. One reader of a name is open on a partition at a time.
   */
  name?: string;
}

/** A record with this key and this value of the property that is looked for. */
export interface Sought {
  /** Absent: with any. */
  key?: string;
  value: string;
}

export interface FindWhen {
  /** Milliseconds since the epoch, by the appender's clock: nothing that is sought was appended before. */
  sinceMs: number;
  /** By the same clock: nothing that is sought is going to be asked for after that; absent: after `sinceMs`. */
  lastMs?: number;
  /** Only this process can have appended it: nobody else's append has to be waited for. */
  isOwn?: boolean;
}

export interface LogReader {
  readonly partition: string;
  /** Resolves with one or more durable entries in order, as soon as there is one; rejects `gone` once closed. One call at a time. */
  read(limit: number): Promise<readonly LogEntry[]>;
  /**
   * Entries up to `position` will not be asked for again after a restart: the log may drop them when its retention says so.
   * Cumulative, and only trims: where reading begins is said by whoever opens a reader.
   */
  acknowledge(position: Position): Promise<void>;
  close(): Promise<void>;
}

export interface Log {
  /**
   * Resolves when the record is durable, never before. Records handed over in one event-loop turn may share a commit.
   * Appends to one topic and key made in order are kept in that order.
   * Rejects with `PortError`: the record is then not in the log, unless the code is `unavailable`: then it is in doubt (`find`).
   */
  append(topic: string, record: LogRecord): Promise<Receipt>;

  /**
   * Names of the topic's partitions, in order: a key's is number `keyHash(key)` modulo their count (`topics/key-hash.ts`).
   * They may become more. A topic that is not there is made where that is allowed and `make` is not false; else it has none.
   */
  partitions(topic: string, options?: { make?: boolean }): Promise<readonly string[]>;

  /** Names of the topics that there are in a namespace (`tenant/namespace`), each once however many partitions it has. */
  topics(namespace: string): Promise<readonly string[]>;

  /** Resolves where the log can be reached now. Rejects `unavailable`, or `refused` where it does not let us in. */
  check(): Promise<void>;

  /**
   * Entries reach a reader only once they are durable. What retention has dropped is passed over: a reader goes on with the
   * oldest entry kept. Rejects `refused` for a position of another log, and `gone` once the log is closed.
   */
  read(partition: string, from: From, options?: ReadOptions): Promise<LogReader>;

  /**
   * What is there already: at most `limit` durable entries in order, fewer where they are large, none where there is nothing
   * from there on. What retention has dropped is passed over. Times do not go back within a partition: while the clock is
   * behind, an entry has the time of the one before it. Rejects as `read` does.
   */
  history(partition: string, from: HistoryFrom, limit: number): Promise<readonly LogEntry[]>;

  /** The position of the newest durable entry, or undefined where there is none yet. */
  last(partition: string): Promise<Position | undefined>;

  /**
   * Settles appends in doubt: waits until no earlier append of this topic and these keys can still arrive, then looks for
   * records whose property `name` is one of the values. Resolves with the receipts of those that were found, by value; reads
   * the log once for all of them.
   */
  find(topic: string, name: string, sought: readonly Sought[], when: FindWhen): Promise<ReadonlyMap<string, Receipt>>;

  /** Keeps nothing any more for a reader of that name, which is closed. */
  forget(partition: string, name: string): Promise<void>;

  /** Finishes what was handed over, then closes every reader. */
  close(): Promise<void>;
}
