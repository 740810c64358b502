import type { Shard } from '../fan-out/shard.js';
import type { Clock } from '../ports/clock.js';
import type { OutboundKey, Store } from '../ports/store.js';
import type { Telemetry } from '../ports/telemetry.js';
import type { SessionName } from '../session/state.js';
import type { Presence } from './presence.js';
import { retry } from './retry.js';
import { storedShares } from './stored-shares.js';
import type { Works } from './works.js';

export interface EndedSessionsParts {
  clock: Clock;
  telemetry: Telemetry;
  store: Store;
  presence: Presence;
  shard: Shard;
  epoch: number;
  works: Works;
}

/**
 * Removes what sessions that are over leave in the store, those of one client one after the other: a clearing takes all
 * generations up to its own, so it must not come before an older one has been looked through for what others may have.
 */
export class EndedSessions {
  readonly #parts: EndedSessionsParts;
  /** Being cleared, by client, oldest first. */
  readonly #lines = new Map<string, { ended: SessionName; written: Promise<unknown> }[]>();
  /** What runs once the saved checkpoint is past places. */
  #later: { places: readonly OutboundKey[]; run: () => void }[] = [];

  /** Pages of rows that others have got and that are not removed yet. */
  #handingOn = 0;

  constructor(parts: EndedSessionsParts) {
    this.#parts = parts;
  }

  /** Whether the store may have something for two sessions. */
  get isHandingOn(): boolean {
    return this.#handingOn > 0;
  }

  /** `written`: nothing of it is being written any more. */
  clear(ended: SessionName, written: Promise<unknown> = Promise.resolve()): void {
    const { clientId, generation } = ended;
    const { store, epoch, works } = this.#parts;
    works.begin('end-session', () => store.sessions.delete(clientId, generation, epoch));
    works.begin('end-session', () => store.inbound.clear(clientId, generation));
    const line = this.#lines.get(clientId) ?? [];
    this.#lines.set(clientId, line);
    line.push({ ended, written });
    if (line.length === 1) this.#clearFirst(clientId);
  }

  /** The presence row goes last, if nothing needs it: by it the next owner of the shard would find what is left. */
  tidy(clientId: string): void {
    const { shard, presence, works } = this.#parts;
    if (shard.hasSession(clientId) || this.#lines.has(clientId)) return;
    works.begin('end-session', () => presence.tidy(clientId));
  }

  /** Checkpoints may have come to be saved. */
  checkpointsSaved(): void {
    const { shard } = this.#parts;
    const waiting = this.#later;
    this.#later = [];
    for (const { places, run } of waiting) {
      const ahead = places.filter((place) => !shard.hasPassed(place));
      if (ahead.length === 0) run();
      else this.#later.push({ places: ahead, run });
    }
  }

  #clearFirst(clientId: string): void {
    const { store, works } = this.#parts;
    const line = this.#lines.get(clientId) ?? [];
    const [first] = line;
    if (first === undefined) {
      this.#lines.delete(clientId);
      return this.tidy(clientId);
    }
    const { ended, written } = first;
    const clear = async () => {
      await store.outbound.clear(clientId, ended.generation);
      line.shift();
      this.#clearFirst(clientId);
    };
    works.begin('end-session', async () => {
      await written;
      const places = await this.#handBack(ended);
      this.#later.push({ places, run: () => works.begin('end-session', clear) });
      this.checkpointsSaved();
    });
  }

  /**
   * Gives to others what they may have. Resolves with where that comes from which they may not: its rows stay until no replay
   * comes upon it.
   */
  async #handBack(ended: SessionName): Promise<OutboundKey[]> {
    const { clientId, generation } = ended;
    const { store, shard, clock, works } = this.#parts;
    const kept: OutboundKey[] = [];
    // Each page goes before the next is looked at, so that what is repeated after a failure or a crash hands little back again.
    for await (const { publications, keys, sent } of storedShares(store.outbound, clientId, generation)) {
      this.#handingOn += 1;
      await works.done(() => shard.handBack(ended, publications, clock.now()));
      await retry('end-session', this.#parts, () => store.outbound.remove(clientId, generation, keys)).finally(() => {
        this.#handingOn -= 1;
      });
      kept.push(...sent.filter((place) => !shard.hasPassed(place)));
    }
    return kept;
  }
}
