import type { SessionState } from '../session/state.js';

/** Writes of sessions' outbound rows that are under way. */
export class SessionWrites {
  readonly #bySession = new Map<SessionState, Set<Promise<void>>>();

  add(session: SessionState, write: Promise<void>): void {
    const underWay = this.#bySession.get(session) ?? new Set();
    this.#bySession.set(session, underWay.add(write));
    void write.then(() => {
      underWay.delete(write);
      if (underWay.size === 0) this.#bySession.delete(session);
    });
  }

  /** Resolves when nothing is under way of what is by now. */
  async written(session: SessionState): Promise<void> {
    await Promise.all(this.#bySession.get(session) ?? []);
  }
}
