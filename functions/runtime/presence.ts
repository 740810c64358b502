import { type ClaimedRow, claimPresence } from '../connection/claim.js';
import type { Claim } from '../connection/effects.js';
import { sessionEndMs } from '../mqtt/expiry.js';
import type { Clock } from '../ports/clock.js';
import { PortError } from '../ports/errors.js';
import type { PresenceRow, PresenceStore, WaitingWill } from '../ports/store.js';

export interface ClaimedPresence extends ClaimedRow {
  /** The edge whose connection has lost the client, as far as the row tells. */
  takenFrom: string | null;
}

const PAGE_ROWS = 500;
/** Connection numbers are times. Those of two processes are told apart from here on, as far as their clocks agree. */
const SAME_TIME_MS = 100;

/**
 * Of a will, in milliseconds since the epoch. Taken, at that time: nobody else publishes it for a while, and somebody may have
 * before, from then on. Or somebody else has it until then. Or it is in the row no more.
 */
export type Taking = { atMs: number; inDoubtSinceMs: number | null } | { untilMs: number } | 'gone';

/** The compare-and-set loops over presence rows. Each call resolves when the row is durable. */
export class Presence {
  readonly #store: PresenceStore;
  readonly #clock: Clock;
  readonly #edge: () => string;
  readonly #isOneConnection: boolean;

  /**
   * `edge` is read with each claim: a process has its name only once it has its lease. `isOneConnection`: no two connections have this name of an edge, so that what
   * it claims twice it has.
   */
  constructor(parts: { store: PresenceStore; clock: Clock; edge: () => string; isOneConnection?: boolean }) {
    this.#store = parts.store;
    this.#clock = parts.clock;
    this.#edge = parts.edge;
    this.#isOneConnection = parts.isOneConnection ?? false;
  }

  /**
   * Raises the connection number: from now on the client is this connection's. Resolves null where another that came later has
   * won it meanwhile: who is slow must not take over whom its client has gone to.
   */
  async claim(claim: Claim): Promise<ClaimedPresence | null> {
    const begunAtMs = this.#clock.now();
    for (;;) {
      const found = await this.#store.get(claim.clientId);
      const before = found?.row ?? null;
      const isLive = before !== null && before.disconnectedAtMs === null;
      const isElsewhere = isLive && before.edge !== this.#edge();
      if (isElsewhere && before.connectionNumber > begunAtMs + SAME_TIME_MS) return null;
      if (isLive && this.#isOneConnection && before.edge === this.#edge()) {
        const sessionPresent = before.generation !== before.connectionNumber;
        return { row: before, sessionPresent, takenFrom: null };
      }
      const claimed = claimPresence(before, claim, this.#edge(), this.#clock.now());
      const takenFrom = isLive ? before.edge : null;
      if (await this.#wins(() => this.#store.put(claimed.row, found?.version ?? 0))) return { ...claimed, takenFrom };
    }
  }

  /** Whether the client is, or was last, that connection's. */
  async holds(clientId: string, connectionNumber: number): Promise<boolean> {
    const found = await this.#store.get(clientId);
    return found?.row.connectionNumber === connectionNumber;
  }

  /**
   * Says that the connection is over. Resolves null where the row is another connection's by now. The row stays, whatever
   * its expiry: by it the shard's next owner finds what is to be cleared away, until `tidy`.
   */
  async leave(
    clientId: string,
    connectionNumber: number,
    how: { sessionExpiryS: number; will: 'publish' | 'discard'; atMs: number },
  ): Promise<PresenceRow | null> {
    let left: PresenceRow | null = null;
    const isThere = await this.#change(clientId, (row) => {
      left = null;
      if (row.connectionNumber !== connectionNumber) return row;
      const will = how.will === 'publish' ? row.will : null;
      left = { ...row, will, disconnectedAtMs: how.atMs, sessionExpiryS: how.sessionExpiryS };
      return left;
    });
    return isThere ? left : null;
  }

  /** The connection goes on at this edge. */
  async move(clientId: string, connectionNumber: number): Promise<void> {
    const edge = this.#edge();
    await this.#change(clientId, (row) => (row.connectionNumber === connectionNumber ? { ...row, edge } : row));
  }

  /** As `leave`, said by somebody else, who knows no more than that; changes nothing where it was said before. */
  async lose(clientId: string, connectionNumber: number, atMs: number): Promise<PresenceRow | null> {
    let lost: PresenceRow | null = null;
    const isThere = await this.#change(clientId, (row) => {
      const isOurs = row.connectionNumber === connectionNumber;
      lost = isOurs ? row : null;
      if (!isOurs || row.disconnectedAtMs !== null) return row;
      lost = { ...row, disconnectedAtMs: atMs };
      return lost;
    });
    return isThere ? lost : null;
  }

  /**
   * Says that the caller is about to publish a will, unless somebody has said so within the last `goodForMs`: who took it before
   * that has published it, or never will.
   */
  async takeWill(clientId: string, connectionNumber: number, goodForMs: number): Promise<Taking> {
    let taking: Taking = 'gone';
    const take = (will: WaitingWill): WaitingWill => {
      const now = this.#clock.now();
      const { taken } = will;
      if (taken !== undefined && now < taken.atMs + goodForMs) {
        taking = { untilMs: taken.atMs + goodForMs };
        return will;
      }
      taking = { atMs: now, inDoubtSinceMs: taken?.sinceMs ?? null };
      return { ...will, taken: { sinceMs: taken?.sinceMs ?? now, atMs: now } };
    };
    const isThere = await this.#change(clientId, (row) => {
      taking = 'gone';
      const isIt = (will: WaitingWill | null) => will?.connectionNumber === connectionNumber;
      if (row.will !== null && isIt(row.will)) {
        const will = take(row.will);
        return will === row.will ? row : { ...row, will };
      }
      const left = row.leftWills.find(isIt);
      if (left === undefined) return row;
      const will = take(left);
      return will === left ? row : { ...row, leftWills: row.leftWills.map((each) => (each === left ? will : each)) };
    });
    return isThere ? taking : 'gone';
  }

  /** A will is published: it is taken out of the row, which stays as in `leave`. */
  async settleWill(clientId: string, connectionNumber: number): Promise<void> {
    await this.#change(clientId, (row) => ({
      ...row,
      will: row.will?.connectionNumber === connectionNumber ? null : row.will,
      leftWills: row.leftWills.filter((will) => will.connectionNumber !== connectionNumber),
    }));
  }

  /** Puts a session whose time is over beyond resuming; its row stays as in `leave`. Resolves false where it was resumed in time. */
  async release(clientId: string, generation: number): Promise<boolean> {
    let released = true;
    const isThere = await this.#change(clientId, (row) => {
      const isOver =
        row.disconnectedAtMs !== null && this.#clock.now() >= sessionEndMs(row.disconnectedAtMs, row.sessionExpiryS);
      released = row.generation !== generation || isOver;
      return released && row.generation === generation ? { ...row, sessionExpiryS: 0 } : row;
    });
    return released || !isThere;
  }

  /** Calls `each` for every client of a shard whose row says that it is connected. For when an edge is no more. */
  async connected(shard: number, each: (row: PresenceRow) => void): Promise<void> {
    for (let after: string | null = null; ; ) {
      const rows = await this.#store.list(shard, after, PAGE_ROWS);
      for (const { row } of rows) if (row.disconnectedAtMs === null) each(row);
      const last = rows.at(-1);
      if (last === undefined || rows.length < PAGE_ROWS) return;
      after = last.row.clientId;
    }
  }

  /** The row goes if nothing needs it any more. */
  async tidy(clientId: string): Promise<void> {
    await this.#change(clientId, (row) => (isNeeded(row, this.#clock.now()) ? row : null));
  }

  /** Resolves with whether there is a row; `change` has seen it as it was, and what it said of an earlier one is void. null: the row goes. */
  async #change(clientId: string, change: (row: PresenceRow) => PresenceRow | null): Promise<boolean> {
    for (;;) {
      const found = await this.#store.get(clientId);
      if (found === undefined) return false;
      const { row, version } = found;
      const changed = change(row);
      if (changed === row) return true;
      const write = () => (changed ? this.#store.put(changed, version) : this.#store.delete(clientId, version));
      if (await this.#wins(write)) return true;
    }
  }

  async #wins(write: () => Promise<unknown>): Promise<boolean> {
    try {
      await write();
      return true;
    } catch (error) {
      if (error instanceof PortError && error.code === 'conflict') return false;
      throw error;
    }
  }
}

/** A row is kept for a live connection, for a will that is not published, and for a session that can be resumed. */
function isNeeded(row: PresenceRow, now: number): boolean {
  if (row.disconnectedAtMs === null || row.will !== null || row.leftWills.length > 0) return true;
  return now < sessionEndMs(row.disconnectedAtMs, row.sessionExpiryS);
}
