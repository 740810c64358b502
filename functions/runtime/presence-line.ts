/**
 * Writes of presence rows, those of one client one after another, in the order in which its connections came and went: the
 * connection that came last wins, however long the claim of one before it takes, and finds in the row how that one went. A
 * will that a DISCONNECT discarded must not be taken for one left behind.
 */
export class PresenceLine {
  readonly #writing = new Map<string, Promise<void>>();

  /** `write` never rejects. */
  enter(clientId: string, write: () => Promise<void>): void {
    const before = this.#writing.get(clientId);
    const written: Promise<void> = (before ? before.then(write) : write()).finally(() => {
      if (this.#writing.get(clientId) === written) this.#writing.delete(clientId);
    });
    this.#writing.set(clientId, written);
  }

  async settled(): Promise<void> {
    while (this.#writing.size > 0) await Promise.allSettled(this.#writing.values());
  }
}
