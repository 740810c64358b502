/** Frames kept for one that is missing. More than two posts are never under way, and so many only after a long gap. */
const KEPT_MAX = 256;

/** Puts the worker's frames in order, each once, and forgets those of an epoch that is over. */
export class WorkerStream {
  #epoch = 0;
  #next = 1;
  readonly #early = new Map<number, Uint8Array>();

  /** What can be handed on with this frame; null: one is missing for good. */
  take(epoch: number, number: number, bytes: Uint8Array): Uint8Array[] | null {
    if (epoch < this.#epoch) return [];
    if (epoch > this.#epoch) {
      this.#epoch = epoch;
      this.#next = 1;
      this.#early.clear();
    }
    if (number < this.#next) return [];
    this.#early.set(number, bytes);
    const ready: Uint8Array[] = [];
    for (let found = this.#early.get(this.#next); found !== undefined; found = this.#early.get(this.#next)) {
      this.#early.delete(this.#next);
      this.#next += 1;
      ready.push(found);
    }
    return this.#early.size > KEPT_MAX ? null : ready;
  }
}
