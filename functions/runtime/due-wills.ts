import { willDueMs } from '../connection/claim.js';
import type { Connected, Disconnected } from '../ports/session-commands.js';
import type { LeftWill, PresenceRow, PresenceStore, WaitingWill } from '../ports/store.js';
import type { ClaimedPresence } from './presence.js';
import { publishWill, type WillParts } from './will.js';

/** How long after a will was due a successor waits for whoever publishes it before it looks into the log, and how often it looks. */
const WAITS_MAX_MS = 3_000;
const LOOKS_EVERY_MS = 50;

/**
 * Wills that are due when a connection ends whose shard is elsewhere, or loses its client to a successor. Its edge publishes
 * them, and does not leave them to the worker that hears of it later: what a successor says after its CONNACK must not come before its predecessor's
 * will, nor may a will wait for a worker. What could not be published is left to the shard, as in doubt.
 */
export class DueWills {
  readonly #parts: WillParts & { store: PresenceStore };

  constructor(parts: WillParts & { store: PresenceStore }) {
    this.#parts = parts;
  }

  /** Resolves with the wills that the shard is to see to, as `Connected` has them. */
  async beforeSuccessor({ row, madeDue }: ClaimedPresence): Promise<Pick<Connected, 'leftWills' | 'willsInDoubt'>> {
    const { clientId, leftWills } = row;
    if (leftWills.length === 0) return { leftWills };
    const isOut = madeDue !== null && (await this.#publish(clientId, madeDue, null));
    const left = await this.#notOut(clientId, isOut ? leftWills.filter((will) => will !== madeDue) : leftWills);
    return { leftWills: left, ...(left.length > 0 && { willsInDoubt: true }) };
  }

  /** Of a connection that has just been left, `will` as it was left. Resolves with what the shard is to do, as `Disconnected` has it. */
  async afterLeaving(
    row: PresenceRow,
    will: Disconnected['will'],
  ): Promise<Pick<Disconnected, 'will' | 'willInDoubt'>> {
    const { clock } = this.#parts;
    if (row.will === null || willDueMs(row, row.will, clock.now()) > clock.now()) return { will };
    const isOut = await this.#publish(row.clientId, row.will, null);
    return isOut ? { will: 'discard' } : { will, willInDoubt: true };
  }

  /** As `publishWill`; resolves whether it is out. */
  async #publish(clientId: string, will: WaitingWill, inDoubtSinceMs: number | null): Promise<boolean> {
    try {
      await publishWill(this.#parts, clientId, will, inDoubtSinceMs);
      return true;
    } catch (error) {
      this.#parts.telemetry.log('warn', 'will-not-published', { client: clientId, error: String(error) });
      return false;
    }
  }

  /** Somebody else may be publishing those that were due only now, or may not have lived to: then they are looked for, and published. */
  async #notOut(clientId: string, wills: readonly LeftWill[]): Promise<readonly LeftWill[]> {
    const { clock, store } = this.#parts;
    let left = wills;
    while (left.some(({ dueAtMs }) => dueAtMs !== undefined && clock.now() < dueAtMs + WAITS_MAX_MS)) {
      await new Promise<void>((resume) => clock.after(LOOKS_EVERY_MS, resume));
      const found = await store.get(clientId);
      const numbers = new Set(found?.row.leftWills.map((will) => will.connectionNumber));
      left = left.filter((will) => numbers.has(will.connectionNumber));
    }
    const isOut = await Promise.all(
      left.map(({ dueAtMs, ...will }) => dueAtMs !== undefined && this.#publish(clientId, will, dueAtMs)),
    );
    return left.filter((_, index) => !isOut[index]);
  }
}
