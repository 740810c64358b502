import type { Clock } from '../ports/clock.js';
import { portErrorCode } from '../ports/errors.js';
import type { LeaseStore } from '../ports/leases.js';
import type { Receipt } from '../ports/log.js';
import { ROWS_VERSION } from '../ports/store.js';
import type { Telemetry } from '../ports/telemetry.js';
import type { Edge } from '../runtime/edge.js';
import { COMMANDS_VERSION } from '../runtime/edge-commands.js';
import { ORDERS_VERSION } from '../runtime/edge-orders.js';
import { Membership } from '../runtime/membership.js';
import { OrdersFollower } from '../runtime/orders-follower.js';
import { Ownership } from '../runtime/ownership.js';
import { SessionRouter } from '../runtime/session-router.js';
import { publishSystemTopics, type SystemFacts } from '../runtime/system-topics.js';
import { Worker, type WorkerParts } from '../runtime/worker.js';
import { RECORD_VERSION } from '../topics/record.js';
import type { Backing } from './backing.js';
import type { Settings } from './settings.js';

interface Parts extends Omit<WorkerParts, 'fleet' | 'failed' | 'edge'> {
  clock: Clock;
  telemetry: Telemetry;
  backing: Backing;
  settings: Settings;
  edge: () => Edge;
  /** As no other process is named. */
  holder: string;
  facts: () => SystemFacts;
  failed: (error: unknown) => void;
}

/** What processes write for each other, and for those that come after them. */
const VERSIONS = [RECORD_VERSION, COMMANDS_VERSION, ORDERS_VERSION, ROWS_VERSION].join('.');
/** How long what was told the shards may take to be in the log, at the end. */
const SETTLE_MAX_MS = 2_000;
const LOOK_MS = 20;

/** This process among those that share log and store: its lease, the shards that it owns, and the way to the others. */
export class Fleet {
  readonly router: SessionRouter;
  readonly #parts: Parts;
  readonly #ownership: Ownership<{ worker: Worker; close: () => Promise<void> }>;
  #membership: Membership | null = null;
  #orders: OrdersFollower | undefined;
  #isUp = false;

  constructor(parts: Parts) {
    const { settings, telemetry } = parts;
    this.#parts = parts;
    const open = (shard: number) => this.#open(shard);
    this.#ownership = new Ownership({ telemetry, fleet: () => this.#membership, open }, settings.shards);
    const owned = (shard: number) => this.#ownership.get(shard)?.worker;
    const failed = (clientId: string, connectionNumber: number) => parts.edge().comeAgain(clientId, connectionNumber);
    this.router = new SessionRouter({ ...parts, edge: () => this.name, owned, failed }, settings.shards);
  }

  /** As presence rows name this process. */
  get name(): string {
    return this.#membership?.name ?? this.#parts.holder;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  workers(): Worker[] {
    return this.#ownership.all().map(({ worker }) => worker);
  }

  /** Resolves when clients may come: with the shards that are this process's to serve, and the others somebody else's. */
  async join(): Promise<void> {
    const { clock, settings } = this.#parts;
    const isWorker = settings.role !== 'edge';
    const { leases } = this.#parts.backing;
    if (leases !== null) await this.#takeLease(leases, isWorker);
    while (isWorker) {
      await this.#ownership.tend().catch(unlessConflict);
      if (this.#ownership.isSettled) break;
      await new Promise<void>((resume) => clock.after(LOOK_MS, resume));
    }
    this.#isUp = true;
  }

  /** Of who appends to a topic for the first time: see `LogReaders.discover`. */
  discover(logTopic: string): Promise<void> | null {
    const discovering = this.workers().flatMap((worker) => worker.discover(logTopic) ?? []);
    return discovering.length === 0 ? null : Promise.all(discovering).then(() => {});
  }

  acknowledged(receipt: Receipt): void {
    for (const worker of this.workers()) worker.acknowledged(receipt);
  }

  /** Gives everything back; its clients are gone by then. */
  async close(): Promise<void> {
    await this.router.settled(SETTLE_MAX_MS);
    await this.#ownership.close();
    await this.#orders?.close();
    await this.#membership?.leave();
  }

  async #takeLease(leases: LeaseStore, isWorker: boolean): Promise<void> {
    const { settings, holder, failed } = this.#parts;
    const isEdge = settings.role !== 'fan-out';
    const { workerLeaseMs, edgeLeaseMs } = settings.limits;
    const agreed = { ...settings.agreed, 'the version of records': VERSIONS };
    this.#membership ??= await Membership.join(
      { ...this.#parts, leases, lost: failed },
      { holder, isEdge, isWorker, agreed, leaseMs: isWorker ? workerLeaseMs : edgeLeaseMs },
    );
    const membership = this.#membership;
    if (isEdge) {
      this.#orders ??= await OrdersFollower.open({
        ...this.#parts,
        self: membership.name,
        edge: this.#parts.edge(),
        answer: (drained) => this.router.answer(drained),
      });
    }
    membership.onLook = () => {
      for (const worker of this.workers()) worker.look();
      // What could not be had now is tried with the next look.
      if (isWorker) this.#ownership.tend().catch(() => {});
    };
  }

  async #open(shard: number): Promise<{ worker: Worker; close: () => Promise<void> }> {
    const { settings, facts, clock } = this.#parts;
    const fleet = this.#membership;
    const worker = await Worker.start(
      { ...this.#parts, edge: this.#parts.edge(), ...(fleet && { fleet }) },
      { shard, owner: this.name, limits: settings.limits },
    );
    const endSystemTopics = publishSystemTopics(clock, facts, (publication) => worker.publishOwn(publication));
    const close = async () => {
      endSystemTopics();
      await worker.close();
    };
    return { worker, close };
  }
}

/** Somebody else has the shard, or seems to: it is tried again. */
function unlessConflict(error: unknown): void {
  if (portErrorCode(error) !== 'conflict') throw error;
}
