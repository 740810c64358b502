import type { Position } from '../ports/log.js';
import type { CheckpointRow, OutboundKey, OutboundRow } from '../ports/store.js';
import { isHandedOn, isInLog, logPosition } from '../session/places.js';
import type { SessionState } from '../session/state.js';
import { Progress } from './progress.js';

/** A finished row that stays until the saved checkpoint has passed where its publication came from. */
export interface DoneRow {
  clientId: string;
  generation: number;
  key: OutboundKey;
  origin: OutboundKey;
}

/** How far a shard is with each partition, in memory and as saved. */
export class Partitions {
  readonly #progress = new Map<string, Progress>();
  readonly #savedLow = new Map<string, Position | null>();
  /** Not read any more: their saved checkpoints are to go. */
  readonly #unfollowed = new Set<string>();
  #isCaughtUp = false;
  #doneRows: DoneRow[] = [];

  constructor(checkpoints: readonly CheckpointRow[]) {
    for (const row of checkpoints) {
      this.#progress.set(row.partition, new Progress(row));
      this.#savedLow.set(row.partition, row.low);
    }
  }

  of(partition: string): Progress {
    let progress = this.#progress.get(partition);
    if (progress === undefined) {
      progress = new Progress({ partition, low: null, done: [] });
      this.#progress.set(partition, progress);
    }
    return progress;
  }

  /** Asks without making it known. */
  low(partition: string): Position | null {
    return this.#progress.get(partition)?.low ?? null;
  }

  follow(partition: string, position: Position | null): void {
    this.#progress.set(partition, Progress.after(partition, position));
    this.#unfollowed.delete(partition);
  }

  unfollow(partition: string): boolean {
    if (this.#progress.get(partition)?.isIdle === false) return false;
    this.#progress.delete(partition);
    this.#unfollowed.add(partition);
    return true;
  }

  /** Whatever is not followed by now holds nothing that anybody waits for. */
  caughtUp(): void {
    this.#isCaughtUp = true;
  }

  settle(place: OutboundKey): void {
    if (isInLog(place)) this.#progress.get(place.source)?.settle(logPosition(place.position));
  }

  /** Whether replay does not come upon a place: the saved checkpoint is past it, or its partition is not read. */
  hasPassed(place: OutboundKey): boolean {
    if (this.#isCaughtUp && !this.#progress.has(place.source)) return true;
    const low = this.#savedLow.get(place.source) ?? null;
    return low !== null && logPosition(place.position) <= low;
  }

  /** Per partition, the last position handed out. */
  handedOut(partitions: Iterable<string> = this.#progress.keys()): Record<string, Position> {
    const positions: Record<string, Position> = {};
    for (const partition of partitions) positions[partition] = this.#progress.get(partition)?.handedOut ?? '';
    return positions;
  }

  keepDone({ clientId, generation }: SessionState, { source, position, origin }: OutboundRow): void {
    this.#doneRows.push({ clientId, generation, key: { source, position }, origin });
  }

  /** Checkpoints that moved since the last call. */
  takeCheckpoints(): CheckpointRow[] {
    const moved = [...this.#progress.values()].flatMap((progress) => progress.take() ?? []);
    return [...moved, ...[...this.#unfollowed].map((partition) => ({ partition, low: null, done: [] }))];
  }

  /**
   * The checkpoints are durable: returns the rows that were kept only until now. `isHandingOn`: of what is handed on, somebody
   * else's row may be there still.
   */
  checkpointsSaved(rows: readonly CheckpointRow[], isHandingOn: boolean): DoneRow[] {
    for (const row of rows) {
      this.#savedLow.set(row.partition, row.low);
      if (row.low === null) this.#unfollowed.delete(row.partition);
    }
    const isOver = ({ origin }: DoneRow) => this.hasPassed(origin) && !(isHandingOn && isHandedOn(origin));
    const over = this.#doneRows.filter(isOver);
    if (over.length > 0) this.#doneRows = this.#doneRows.filter((row) => !isOver(row));
    return over;
  }
}
