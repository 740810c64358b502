import type { Clock } from '../ports/clock.js';
import { PortError } from '../ports/errors.js';
import type { LeaseRow, LeaseStore } from '../ports/leases.js';
import type { Telemetry } from '../ports/telemetry.js';
import { checkAgreed, mayDiffer, type Stood } from './agreed-settings.js';
import { edgeName } from './edge-name.js';

export interface MembershipParts {
  clock: Clock;
  telemetry: Telemetry;
  leases: LeaseStore;
  /** Told when the lease is somebody else's, or gone: what this process does from then on is nobody's. */
  lost: (error: unknown) => void;
}

export interface MembershipOptions extends Pick<LeaseRow, 'holder' | 'isEdge' | 'isWorker' | 'agreed'> {
  /** How long a lease may stand still before others take it away. */
  leaseMs: number;
}

interface Observed {
  row: LeaseRow;
  version: number;
  /** When its beat was first seen as it is. */
  sinceMs: number;
  /** Whether its beat was seen to move: else it may be of a process that is no more. */
  isProven: boolean;
}

/** Another process. */
export type Other = LeaseRow & Pick<Observed, 'isProven'>;

const BEATS_IN_LEASE = 5;

/**
 * This process's place among those that share log and store. Its lease is a row that it renews; whoever sees another's stand
 * still for the time that it is given deletes it, and only once it is gone is what it had taken over. So a process that was
 * paused finds its own row gone before it does anything, and ends.
 */
export class Membership {
  readonly name: string;
  readonly #parts: MembershipParts;
  readonly #leaseMs: number;
  readonly #others = new Map<string, Observed>();
  #row: LeaseRow;
  #version: number;
  /** When this process was last seen to run. */
  #lastTickAtMs: number;
  #line: Promise<unknown> = Promise.resolve();
  #cancel = () => {};
  #again = () => {};
  #isOver = false;
  /** There while this process was paused and does not know yet whether it still has its lease. */
  #unsure: { promise: Promise<void>; resolve: () => void } | null = null;
  /** Called after each look at the others. */
  onLook: () => void = () => {};

  /** Takes a free slot. Rejects `refused`, and says how, where a live process has been told other settings. */
  static async join(parts: MembershipParts, options: MembershipOptions): Promise<Membership> {
    const { leaseMs, ...mine } = options;
    const stood: Stood = new Map();
    for (;;) {
      const found = await parts.leases.list();
      if (await checkAgreed(parts, options.agreed, found, stood)) continue;
      const taken = new Set(found.map(({ row }) => row.slot));
      let slot = 0;
      while (taken.has(slot)) slot += 1;
      const row: LeaseRow = { ...mine, slot, beat: 1, shards: [], leaseMs };
      try {
        const version = await parts.leases.put(row, 0);
        const membership = new Membership(parts, row, version);
        await membership.look();
        // Of two that take their leases at once both may see only now that they differ.
        if (!membership.others().some((other) => mayDiffer(options.agreed, other, stood))) return membership;
        await membership.leave();
      } catch (error) {
        if (!isConflict(error)) throw error;
      }
    }
  }

  private constructor(parts: MembershipParts, row: LeaseRow, version: number) {
    this.#parts = parts;
    this.#row = row;
    this.#version = version;
    this.#leaseMs = row.leaseMs;
    this.#lastTickAtMs = parts.clock.now();
    this.name = edgeName(row.slot, row.holder);
    this.#arm();
  }

  get slot(): number {
    return this.#row.slot;
  }

  /** Rows of the other processes, as of the last look. */
  others(): Other[] {
    return [...this.#others.values()].map(({ row, isProven }) => ({ ...row, isProven }));
  }

  /** Names of the processes that take clients, as of the last look. */
  live(): string[] {
    const others = this.others().flatMap(({ isEdge, slot, holder }) => (isEdge ? [edgeName(slot, holder)] : []));
    return this.#row.isEdge ? [this.name, ...others] : others;
  }

  /** Whether a process of that name of an edge holds a lease, as of the last look. */
  isLive(edge: string): boolean {
    return edge === this.name || this.#others.has(edge);
  }

  /** null: this process has its lease. Else it was paused, and the promise resolves when it has it still. */
  get sure(): Promise<void> | null {
    this.#ran();
    return this.#unsure?.promise ?? null;
  }

  /** Writes down which shards are this process's, and looks at what the others have. */
  async setShards(shards: readonly number[]): Promise<void> {
    await this.#inLine(async () => {
      await this.#renew({ shards: [...shards] });
      await this.#look();
    });
  }

  look(): Promise<void> {
    return this.#inLine(() => this.#look());
  }

  /** Gives the lease back: what this process had is free at once. */
  async leave(): Promise<void> {
    this.stop();
    await this.#inLine(() => this.#parts.leases.delete(this.slot, this.#version)).catch((error: unknown) => {
      this.#parts.telemetry.log('warn', 'lease-not-given-back', { error: String(error) });
    });
  }

  /** As if the process were no more. */
  stop(): void {
    this.#isOver = true;
    this.#cancel();
  }

  #arm(): void {
    const { clock } = this.#parts;
    const everyMs = this.#leaseMs / BEATS_IN_LEASE;
    const cancels = [clock.after(everyMs, () => void this.#beat())];
    // However long the store takes to answer.
    const tick = () => {
      this.#ran();
      cancels[1] = clock.after(everyMs, tick);
    };
    cancels[1] = clock.after(everyMs, tick);
    this.#again = () => {
      cancels[0] = clock.after(Math.min(everyMs, this.#nextLapseMs()), () => void this.#beat());
    };
    this.#cancel = () => {
      for (const cancel of cancels) cancel();
    };
  }

  /** Until the first of the others' leases lapses, if none is renewed: what such a process had waits for it. */
  #nextLapseMs(): number {
    const now = this.#parts.clock.now();
    const lapses = [...this.#others.values()].map(({ row, sinceMs }) => sinceMs + row.leaseMs - now);
    return Math.min(...lapses.filter((ms) => ms > 0));
  }

  /** Sees whether it did not for long. */
  #ran(): void {
    const now = this.#parts.clock.now();
    if (now - this.#lastTickAtMs > this.#leaseMs / 2) this.#doubt(now - this.#lastTickAtMs);
    this.#lastTickAtMs = now;
  }

  async #beat(): Promise<void> {
    const { telemetry } = this.#parts;
    this.#ran();
    try {
      await this.#inLine(async () => {
        const unsure = this.#unsure;
        await this.#renew({});
        // Not by what was asked before the pause.
        if (unsure !== null && unsure === this.#unsure) {
          this.#unsure = null;
          unsure.resolve();
        }
        await this.#look();
      });
    } catch (error) {
      if (!isConflict(error)) telemetry.log('warn', 'lease-not-renewed', { error: String(error) });
    }
    if (this.#isOver) return;
    this.onLook();
    this.#again();
  }

  /** Paused: what was seen of the others before says nothing of them now. */
  #doubt(ms: number): void {
    if (this.#isOver) return;
    this.#parts.telemetry.log('warn', 'paused', { ms });
    const now = this.#parts.clock.now();
    for (const observed of this.#others.values()) observed.sinceMs = now;
    const before = this.#unsure;
    let resolve = () => {};
    const promise = new Promise<void>((done) => {
      resolve = done;
    });
    this.#unsure = { promise, resolve };
    // Who waits since an earlier pause waits on.
    if (before !== null) void promise.then(before.resolve);
  }

  async #renew(changes: Partial<LeaseRow>): Promise<void> {
    if (this.#isOver) throw new PortError('gone', 'the lease was given back');
    const row = { ...this.#row, ...changes, beat: this.#row.beat + 1 };
    try {
      this.#version = await this.#parts.leases.put(row, this.#version);
      this.#row = row;
    } catch (error) {
      if (isConflict(error)) {
        this.stop();
        this.#parts.lost(
          new Error(`this process did not renew its lease for ${this.#leaseMs} ms, and others took it away`),
        );
      }
      throw error;
    }
  }

  async #look(): Promise<void> {
    const { clock, leases, telemetry } = this.#parts;
    const found = await leases.list();
    const now = clock.now();
    const names = new Set<string>();
    for (const { row, version } of found) {
      const name = edgeName(row.slot, row.holder);
      if (name === this.name) continue;
      const before = this.#others.get(name);
      const isSame = before !== undefined && before.row.beat === row.beat;
      const sinceMs = isSame ? before.sinceMs : now;
      names.add(name);
      const isProven = before !== undefined && (before.isProven || !isSame);
      this.#others.set(name, { row, version, sinceMs, isProven });
      if (now - sinceMs < row.leaseMs || this.#unsure !== null) continue;
      // Whoever does it first: nobody has renewed it meanwhile.
      const isGone = await leases.delete(row.slot, version).then(
        () => true,
        (error: unknown) => {
          if (!isConflict(error)) throw error;
          return false;
        },
      );
      if (isGone)
        telemetry.log('warn', 'lease-lapsed', { slot: row.slot, holder: row.holder, shards: row.shards.join() });
      if (isGone) names.delete(name);
    }
    for (const name of [...this.#others.keys()]) if (!names.has(name)) this.#others.delete(name);
  }

  #inLine<T>(run: () => Promise<T>): Promise<T> {
    const next = this.#line.then(run);
    this.#line = next.catch(() => {});
    return next;
  }
}

function isConflict(error: unknown): boolean {
  return error instanceof PortError && error.code === 'conflict';
}
