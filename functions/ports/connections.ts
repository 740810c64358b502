/**
 * Connections of the gateway edge, which keeps nothing in memory between two frames of one. Every promise resolves when the
 * write is durable; rejections are `PortError`, and a failed condition is `conflict`, with nothing written.
 */
export interface ConnectionStore {
  /** What was written last, whoever wrote it. */
  get(id: string): Promise<{ row: GatewayRow; version: number } | undefined>;
  /** Writes where the stored version is `expected` (0: where there is no row) and resolves with the new version; else `conflict`. */
  put(row: GatewayRow, expected: number): Promise<number>;
  /** Instead of the row that stands under `from`, whose version is `expected`; else `conflict`. Both, or neither. */
  move(row: GatewayRow, from: string, expected: number): Promise<number>;
  /** With its parts. Resolves with whether it was there: of several at once, one has deleted it. */
  delete(id: string): Promise<boolean>;
  /** Keeps what a frame brings of a message that is larger than a frame. */
  putPart(id: string, frame: number, bytes: Uint8Array): Promise<void>;
  /** Of the frames from `first` to `last`, both included, in order; those that were never kept are left out. */
  parts(id: string, first: number, last: number): Promise<Uint8Array[]>;
}

export interface GatewayRow {
  /** By which the gateway knows the connection. */
  id: string;
  /** What is kept of the connection machine, plain data; null: its first frame is to say which connection it goes on with. */
  state: unknown;
  /** Frames that are dealt with; the next one has the number after that. */
  frames: number;
  /** What the last one was answered. */
  answer: Uint8Array;
  /** Of a message that is not complete, the number of its first frame; 0: there is none. */
  partsFrom: number;
  partsBytes: number;
  /** Milliseconds since the epoch. */
  heardAtMs: number;
  /** Where the client comes from, for the log. */
  peer: string;
  /** Known to the client alone: who has it may go on with the connection from another. */
  token: string;
  /** Whether an answer that was saved has told it. */
  tokenTold: boolean;
}
