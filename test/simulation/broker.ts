import { anonymous } from '../../functions/adapters/auth/anonymous.js';
import type { Clock } from '../../functions/ports/clock.js';
import type { Receipt } from '../../functions/ports/log.js';
import type { Accept } from '../../functions/ports/peer.js';
import type { SessionCommand } from '../../functions/ports/session-commands.js';
import type { Telemetry } from '../../functions/ports/telemetry.js';
import { DueWills } from '../../functions/runtime/due-wills.js';
import { Edge } from '../../functions/runtime/edge.js';
import { Presence } from '../../functions/runtime/presence.js';
import { Publisher } from '../../functions/runtime/publisher.js';
import { Worker } from '../../functions/runtime/worker.js';
import { Routes } from '../../functions/topics/routes.js';
import type { Disk } from './disk.js';
import { LogData, SimulatedLog } from './log.js';
import type { Manner } from './manner.js';
import { SimulatedStore, StoreData } from './store.js';
import type { Timeline } from './timeline.js';

const RECORD_MAX_BYTES = 1_000_000;

/** What there is of the machine that outlives a process. */
export class Machine {
  readonly log = new LogData();
  readonly store = new StoreData();
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

/** One life of the process: edge and worker as `handlers/start.ts` wires them, on the simulated machine. */
export class Broker {
  /** Takes connections; null until the worker has caught up. */
  accept: Accept | null = null;
  isAlive = true;
  worker: Worker | null = null;
  #edge: Edge | null = null;
  #close: () => Promise<void> = async () => {};

  constructor(
    private readonly machine: Machine,
    private readonly manner: Pick<Manner, 'limits' | 'partitions'>,
  ) {}

  /** Resolves when clients may come. */
  async start(): Promise<void> {
    const { machine } = this;
    const { timeline, disk, telemetry } = machine;
    const { limits, partitions } = this.manner;
    machine.starts += 1;
    const owner = `process-${machine.starts}`;
    const clock = this.#clock();
    const logOptions = {
      partitions,
      nowMs: () => timeline.nowMs,
      step: () => timeline.steps,
      recordMaxBytes: RECORD_MAX_BYTES,
    };
    const log = new SimulatedLog(disk, machine.log, logOptions);
    const store = new SimulatedStore(disk, machine.store);
    const routes = new Routes();
    const discover = (logTopic: string) => this.worker?.discover(logTopic) ?? null;
    const acknowledged = (receipt: Receipt) => this.worker?.acknowledged(receipt);
    const publisher = new Publisher({ log, store, routes, discover, acknowledged });
    const presence = new Presence({ store: store.presence, clock, edge: () => owner });
    const sessions = { of: () => ({ isRemote: false, tell: (command: SessionCommand) => this.worker?.tell(command) }) };
    const wills = new DueWills({ clock, telemetry, presence, publisher, store: store.presence });
    const { inbound } = store;
    const authenticator = anonymous;
    const edge = new Edge(
      { clock, telemetry, authenticator, presence, publisher, inbound, sessions, wills, self: () => owner },
      limits,
    );
    this.#edge = edge;
    const shared = { clock, telemetry, log, store, routes, presence, publisher, edge };
    this.worker = await Worker.start(shared, { shard: 0, owner, limits });
    this.accept = edge.accept;
    this.#close = async () => {
      await edge.close();
      await this.worker?.close();
      await log.close();
      await store.close();
    };
  }

  get connectionCount(): number {
    return this.#edge?.connectionCount ?? 0;
  }

  /** Says goodbye and finishes. */
  async stop(): Promise<void> {
    this.accept = null;
    await this.#close();
    this.isAlive = false;
  }

  /** It is no more, from one instant to the next. */
  crash(): void {
    this.accept = null;
    this.isAlive = false;
    this.machine.log.forgetReaders();
    this.machine.disk.crash();
  }

  #clock(): Clock {
    const { timeline } = this.machine;
    return {
      now: () => timeline.nowMs,
      after: (ms, run) => timeline.after(ms, () => this.isAlive && run()),
      unique: () => {
        this.machine.drawn += 1;
        return `drawn-${String(this.machine.drawn).padStart(20, '0')}`;
      },
    };
  }
}
