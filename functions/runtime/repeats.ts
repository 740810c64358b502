import type { LogEntry, Position } from '../ports/log.js';
import type { Publication } from '../topics/publication.js';

/** Remembered at least; twice as many at most. One takes some 200 bytes. */
const REMEMBERED = 20_000;

/**
 * Finds what the log holds twice. A client of Pulsar whose broker goes before it has acknowledged sends the same message again
 * once there is another, and only a namespace with deduplication notices. QoS 2 must not be handed out twice for that: its
 * token tells. A copy comes within an append's deadline, and is forgotten after so many others.
 */
export class Repeats {
  /** By partition and token. */
  #recent = new Map<string, Position>();
  #older = new Map<string, Position>();

  isRepeat({ partition, position }: LogEntry, { qos, token }: Publication): boolean {
    if (qos !== 2 || token === undefined) return false;
    const append = `${partition} ${token}`;
    const first = this.#recent.get(append) ?? this.#older.get(append);
    // One that is read again, after a partition was let go of, is none.
    if (first !== undefined) return position > first;
    if (this.#recent.size >= REMEMBERED) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(append, position);
    return false;
  }
}
