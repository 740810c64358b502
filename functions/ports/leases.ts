/** What processes say of themselves to each other: each writes a row of its own again and again, for as long as it lives. */
export interface LeaseRow {
  /** Number of the row, from 0: each process takes the lowest that is free. Its deliveries come on the log topic of that number. */
  slot: number;
  /** As no other process is named, before or after. */
  holder: string;
  /** Raised by every renewal. Whoever sees it stand still for long enough, by its own clock, takes the holder for gone. */
  beat: number;
  /** Whether it takes clients. */
  isEdge: boolean;
  /** Whether it takes shards. */
  isWorker: boolean;
  /** Shards that it has, or is about to have. */
  shards: number[];
  /** Milliseconds for which `beat` may stand still. */
  leaseMs: number;
  /** Settings that all processes have to share, by name. */
  agreed: Readonly<Record<string, string>>;
}

/** Rejections are `PortError`; a failed condition is `conflict`, and nothing was written. */
export interface LeaseStore {
  /** All rows as they are now, in any order. */
  list(): Promise<{ row: LeaseRow; version: number }[]>;
  /** Writes where the stored version is `expected` (0: where there is no row) and resolves with the new version; else `conflict`. */
  put(row: LeaseRow, expected: number): Promise<number>;
  /** Deletes where the version is `expected`; else `conflict`. */
  delete(slot: number, expected: number): Promise<void>;
}
