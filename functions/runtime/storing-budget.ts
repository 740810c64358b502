import type { OutboundRow } from '../ports/store.js';
import { publicationBytes } from '../topics/publication.js';

/** Bytes of rows on their way to the store, above which nothing more is handed out. */
const STORING_MAX_BYTES = 16 * 1024 * 1024;
/** A row besides its publication, about. */
const ROW_BYTES = 200;

/** What fan-out has given to the store and not seen written: a publication may be owed to any number of absent clients. */
export class StoringBudget {
  #bytes = 0;
  #waiting: (() => void)[] = [];

  get isMuch(): boolean {
    return this.#bytes > STORING_MAX_BYTES;
  }

  /** Returns what to `end` with. */
  begin(rows: readonly OutboundRow[]): number {
    const bytes = rows.reduce(
      (sum, row) => sum + ROW_BYTES + (row.publication ? publicationBytes(row.publication) : 0),
      0,
    );
    this.#bytes += bytes;
    return bytes;
  }

  end(bytes: number): void {
    this.#bytes -= bytes;
    if (this.#bytes > STORING_MAX_BYTES / 2) return;
    for (const resume of this.#waiting.splice(0)) resume();
  }

  /** Resolves when half of it is written. */
  room(): Promise<void> {
    return this.isMuch ? new Promise((resume) => this.#waiting.push(resume)) : Promise.resolve();
  }
}
