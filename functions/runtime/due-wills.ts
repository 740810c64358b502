import { willDueMs } from '../connection/claim.js';
import type { Disconnected } from '../ports/session-commands.js';
import type { PresenceRow, WaitingWill } from '../ports/store.js';
import type { ClaimedPresence } from './presence.js';
import { publishWill, type WillParts } from './will.js';

/** How long a successor waits for whoever publishes a will. */
const WAITS_MAX_MS = 10_000;

/**
 * Wills that are due when a connection ends, or loses its client to a successor. Its edge publishes them, and does not leave
 * them to the shard that hears of it later: what a successor says after its CONNACK must not come before its predecessor's
 * will, nor may a will wait for a worker. What could not be published is left to the shard.
 */
export class DueWills {
  readonly #parts: WillParts;

  constructor(parts: WillParts) {
    this.#parts = parts;
  }

  /** Resolves with the wills that the shard is to see to. */
  async beforeSuccessor({ row: { clientId, leftWills } }: ClaimedPresence): Promise<readonly WaitingWill[]> {
    const left = await Promise.all(
      leftWills.map(async (will) => ((await this.#publish(clientId, will)) ? [] : [will])),
    );
    return left.flat();
  }

  /** Of a connection that has just been left, `will` as it was left. Resolves with what the shard is to do. */
  async afterLeaving(row: PresenceRow, will: Disconnected['will']): Promise<Disconnected['will']> {
    const { clock } = this.#parts;
    if (row.will === null || willDueMs(row, row.will, clock.now()) > clock.now()) return will;
    return (await this.#publish(row.clientId, row.will)) ? 'discard' : will;
  }

  /** As `publishWill`; resolves whether it is out. */
  async #publish(clientId: string, will: WaitingWill): Promise<boolean> {
    try {
      return await publishWill(this.#parts, clientId, will, this.#parts.clock.now() + WAITS_MAX_MS);
    } catch (error) {
      this.#parts.telemetry.log('warn', 'will-not-published', { client: clientId, error: String(error) });
      return false;
    }
  }
}
