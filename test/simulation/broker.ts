import { anonymous } from '../../functions/adapters/auth/anonymous.js';
import type { Backing } from '../../functions/handlers/backing.js';
import { Fleet } from '../../functions/handlers/fleet.js';
import type { Role } from '../../functions/handlers/setting-readers.js';
import type { Settings } from '../../functions/handlers/settings.js';
import type { Clock } from '../../functions/ports/clock.js';
import type { Accept } from '../../functions/ports/peer.js';
import type { Telemetry } from '../../functions/ports/telemetry.js';
import { DueWills } from '../../functions/runtime/due-wills.js';
import { Edge } from '../../functions/runtime/edge.js';
import { Presence } from '../../functions/runtime/presence.js';
import { Publisher } from '../../functions/runtime/publisher.js';
import { takeOverWith } from '../../functions/runtime/take-over.js';
import type { Worker } from '../../functions/runtime/worker.js';
import { Routes } from '../../functions/topics/routes.js';
import type { Disk, Storage } from './disk.js';
import { LeaseData, SimulatedLeases } from './leases.js';
import { LogData, SimulatedLog } from './log.js';
import type { Manner } from './manner.js';
import type { Process } from './process.js';
import { SimulatedStore, StoreData } from './store.js';
import type { Timeline } from './timeline.js';

const RECORD_MAX_BYTES = 1_000_000;

/** What there is of the machine that outlives a process. */
export class Machine {
  readonly log = new LogData();
  readonly store = new StoreData();
  readonly leases = new LeaseData();
  /** Processes so far. */
  starts = 0;
  /** Texts drawn so far, so that none is drawn twice. */
  drawn = 0;

  constructor(
    readonly timeline: Timeline,
    readonly disk: Disk,
    readonly telemetry: Telemetry,
  ) {}
}

/** Of one process among several. */
export interface Membership {
  process: Process;
  storage: Storage;
  role: Role;
  shards: number;
  /** How long after it was asked for an append may arrive. */
  lateMaxMs: number;
}

/** One life of a process, wired as `handlers/start.ts` does: the only one, on the simulated machine, or one among several. */
export class Broker {
  /** Takes connections; null until the worker has caught up, and where it takes none. */
  accept: Accept | null = null;
  isAlive = true;
  /** Told when it cannot go on. */
  onFailed: (error: unknown) => void = () => {};
  #edge: Edge | null = null;
  #fleet: Fleet | null = null;
  #close: () => Promise<void> = async () => {};

  constructor(
    private readonly machine: Machine,
    private readonly manner: Pick<Manner, 'limits' | 'partitions'>,
    private readonly member: Membership | null = null,
  ) {}

  /** Resolves when clients may come. */
  async start(): Promise<void> {
    const { machine, member } = this;
    const { timeline, telemetry } = machine;
    const { limits, partitions } = this.manner;
    machine.starts += 1;
    const clock = this.#clock();
    const storage = member?.storage ?? machine.disk;
    const shards = member?.shards ?? 1;
    const log = new SimulatedLog(storage, machine.log, {
      partitions,
      nowMs: () => timeline.nowMs,
      step: () => timeline.steps,
      recordMaxBytes: RECORD_MAX_BYTES,
      ...(member && {
        late: { maxMs: member.lateMaxMs, wait: (ms) => new Promise((resume) => clock.after(ms, () => resume())) },
      }),
    });
    const store = new SimulatedStore(storage, machine.store, shards);
    const routes = new Routes();
    const publisher = new Publisher({
      log,
      store,
      routes,
      discover: (logTopic) => fleet.discover(logTopic),
      acknowledged: (receipt) => fleet.acknowledged(receipt),
      lateMaxMs: member?.lateMaxMs ?? 0,
    });
    const self = () => fleet.name;
    const presence = new Presence({ store: store.presence, clock, edge: self });
    const shared = { clock, telemetry, log, store, routes, presence, publisher };
    const facts = () => ({ version: '', connections: 0, sessions: 0, subscriptions: 0, backlogAgeMs: 0, counters: {} });
    const leases = member && new SimulatedLeases(storage, machine.leases);
    const fleet: Fleet = new Fleet({
      ...shared,
      backing: { log, store, leases } as unknown as Backing,
      settings: { role: member?.role ?? 'all', shards, limits, agreed: {} } as unknown as Settings,
      edge: () => edge,
      holder: `process-${machine.starts}`,
      facts,
      failed: (error) => this.onFailed(error),
    });
    const { inbound } = store;
    const wills = new DueWills(shared);
    const takeOver = takeOverWith({ log, gateway: null });
    const edge: Edge = new Edge(
      { ...shared, authenticator: anonymous, inbound, sessions: fleet.router, wills, takeOver, self },
      { ...limits, noShares: shards > 1 },
    );
    this.#edge = edge;
    this.#fleet = fleet;
    await fleet.join();
    if (member?.role !== 'fan-out') this.accept = edge.accept;
    this.#close = async () => {
      await edge.close();
      await fleet.close();
      await log.close();
      await store.close();
    };
  }

  get connectionCount(): number {
    return this.#edge?.connectionCount ?? 0;
  }

  get workers(): Worker[] {
    return this.#fleet?.workers() ?? [];
  }

  /** Says goodbye and finishes. */
  async stop(): Promise<void> {
    this.accept = null;
    await this.#close();
    this.#end();
  }

  /** It is no more, from one instant to the next. */
  crash(): void {
    this.accept = null;
    this.#end();
    this.machine.log.forgetReaders(this.member?.storage);
    if (this.member === null) this.machine.disk.crash();
  }

  #end(): void {
    this.isAlive = false;
    this.member?.process.end();
  }

  #clock(): Clock {
    const { timeline } = this.machine;
    const { member } = this;
    return {
      now: () => timeline.nowMs,
      after: (ms, run) => (member?.process ?? timeline).after(ms, () => this.isAlive && run()),
      unique: () => {
        this.machine.drawn += 1;
        return `drawn-${String(this.machine.drawn).padStart(20, '0')}`;
      },
    };
  }
}
