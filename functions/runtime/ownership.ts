import { type PortErrorCode, portErrorCode } from '../ports/errors.js';
import type { Telemetry } from '../ports/telemetry.js';
import type { Other } from './membership.js';

/** A shard that this process owns. */
export interface OwnedShard {
  /** Finishes, and leaves its clients to the next owner. */
  close(): Promise<void>;
}

/** Others that may own shards, as of the last look. */
export interface Fleet {
  readonly slot: number;
  others(): Pick<Other, 'slot' | 'isWorker' | 'shards' | 'isProven'>[];
  /** Resolves when all can see it, and what they have is known. */
  setShards(shards: readonly number[]): Promise<void>;
}

interface Parts<S> {
  telemetry: Telemetry;
  /** null: there is nobody else. */
  fleet: () => Fleet | null;
  /** Resolves when the shard's clients are served; rejects where it cannot be had now. */
  open: (shard: number) => Promise<S>;
}

/**
 * Which shards this process owns: with n workers no more than its part of them, rounded up. A shard is taken only where nobody's
 * lease names it, and is named in the own one first: of two who do that at once, both see it and let go.
 */
export class Ownership<S extends OwnedShard> {
  readonly #parts: Parts<S>;
  readonly #shards: number;
  /** Named in the lease. */
  readonly #named = new Set<number>();
  readonly #owned = new Map<number, S>();
  #tending: Promise<void> | null = null;
  #isClosing = false;

  constructor(parts: Parts<S>, shards: number) {
    this.#parts = parts;
    this.#shards = shards;
  }

  get(shard: number): S | undefined {
    return this.#owned.get(shard);
  }

  all(): S[] {
    return [...this.#owned.values()];
  }

  /** Whether every shard is some living process's, and this one's are being served. */
  get isSettled(): boolean {
    const proven = (this.#parts.fleet()?.others() ?? []).filter(({ isProven }) => isProven);
    const others = new Set(proven.flatMap(({ shards }) => shards));
    const all = Array.from({ length: this.#shards }, (_, shard) => shard);
    return all.every((shard) => (this.#named.has(shard) ? this.#owned.has(shard) : others.has(shard)));
  }

  /** Takes what is missing and gives away what is too much. Rejects where a shard could not be opened; the others are. */
  tend(): Promise<void> {
    this.#tending ??= this.#tend().finally(() => {
      this.#tending = null;
    });
    return this.#tending;
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#tending?.catch(() => {});
    await Promise.all(this.all().map((owned) => owned.close()));
  }

  async #tend(): Promise<void> {
    if (this.#isClosing) return;
    await this.#giveAway();
    await this.#name();
    const missing = [...this.#named].filter((shard) => !this.#owned.has(shard));
    const opened = await Promise.allSettled(missing.map((shard) => this.#open(shard)));
    for (const one of opened) if (one.status === 'rejected') throw one.reason;
  }

  get #otherWorkers() {
    return (this.#parts.fleet()?.others() ?? []).filter(({ isWorker }) => isWorker);
  }

  get #share(): number {
    return Math.ceil(this.#shards / (this.#otherWorkers.length + 1));
  }

  async #giveAway(): Promise<void> {
    const surplus = [...this.#named].sort((a, b) => a - b).slice(this.#share);
    if (surplus.length === 0) return;
    await Promise.all(
      surplus.map(async (shard) => {
        const owned = this.#owned.get(shard);
        this.#owned.delete(shard);
        await owned?.close();
        this.#named.delete(shard);
        this.#parts.telemetry.log('info', 'shard-released', { shard });
      }),
    );
    await this.#parts.fleet()?.setShards([...this.#named]);
  }

  async #name(): Promise<void> {
    const fleet = this.#parts.fleet();
    const others = this.#othersShards();
    const rank = this.#otherWorkers.filter(({ slot }) => slot < (fleet?.slot ?? 0)).length;
    // Each begins elsewhere, so that those who start together seldom meet.
    const free = Array.from({ length: this.#shards }, (_, i) => (i + rank * this.#share) % this.#shards).filter(
      (shard) => !others.has(shard) && !this.#named.has(shard),
    );
    const wanted = free.slice(0, Math.max(0, this.#share - this.#named.size));
    if (wanted.length === 0) return;
    for (const shard of wanted) this.#named.add(shard);
    if (fleet === null) return;
    try {
      await fleet.setShards([...this.#named]);
    } catch (error) {
      for (const shard of wanted) this.#named.delete(shard);
      throw error;
    }
    const met = this.#othersShards();
    const lost = wanted.filter((shard) => met.has(shard));
    if (lost.length === 0) return;
    for (const shard of lost) this.#named.delete(shard);
    await fleet.setShards([...this.#named]);
  }

  async #open(shard: number): Promise<void> {
    const { open, telemetry } = this.#parts;
    try {
      this.#owned.set(shard, await open(shard));
      telemetry.log('info', 'shard-owned', { shard });
    } catch (error) {
      const code: PortErrorCode = portErrorCode(error);
      telemetry.log('warn', 'shard-not-opened', { shard, code, error: String(error) });
      throw error;
    }
  }

  #othersShards(): Set<number> {
    return new Set((this.#parts.fleet()?.others() ?? []).flatMap(({ shards }) => shards));
  }
}
