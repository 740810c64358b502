import type { EdgeChannel, SessionChannel } from '../ports/channels.js';
import type { Log, Receipt } from '../ports/log.js';
import type { SessionCommand } from '../ports/session-commands.js';
import type { CheckpointRow, PresenceRow } from '../ports/store.js';
import type { SessionLimits } from '../session/state.js';
import type { Publication } from '../topics/publication.js';
import { CommandFollower } from './command-follower.js';
import type { EdgeCommands } from './edge-commands.js';
import { GatewayClients, type GatewayClientsLimits, type GatewayClientsParts } from './gateway-clients.js';
import { HandingOut } from './handing-out.js';
import { History } from './history.js';
import { loadSessions } from './load-sessions.js';
import { LogReaders, type ReadLimits } from './log-readers.js';
import { LogTopics } from './log-topics.js';
import type { Membership } from './membership.js';
import { type Edges, RemoteClients } from './remote-clients.js';
import type { RemoteCommands } from './remote-commands.js';
import { retry } from './retry.js';
import { ShardDriver, type ShardDriverParts } from './shard-driver.js';
import { SubscribeLine } from './subscribe-line.js';
import { HeldBack } from './sure.js';

export interface WorkerParts extends Omit<ShardDriverParts, 'history'> {
  log: Log;
  /** Where a gateway holds connections of clients: how they are reached. */
  gateway?: Omit<GatewayClientsParts, 'clock' | 'telemetry' | 'presence' | 'local'> & { limits: GatewayClientsLimits };
  /** Where other processes share the log and the store. */
  fleet?: Edges & Pick<Membership, 'sure'>;
}

export type WorkerLimits = SessionLimits & ReadLimits;

/** How often the checkpoint is written: what a crash makes replay read again. */
const CHECKPOINT_EVERY_MS = 1_000;
/** How late a will or a session's end may be. */
const TICK_EVERY_MS = 250;
/** How late fan-out may come to know of a topic or partition that somebody else has made. */
const LOOK_EVERY_MS = 5_000;
const SWEEP_EVERY_MIN_MS = 1_000;

/** The fan-out worker: owns a shard, reads of the log what its sessions need, and keeps its checkpoint. */
export class Worker implements SessionChannel {
  readonly #parts: WorkerParts;
  readonly #driver: ShardDriver;
  readonly #gateway: GatewayClients | undefined;
  readonly #remote: RemoteClients | undefined;
  /** All of a shard's clients, wherever their connections are. */
  readonly #edge: EdgeChannel;
  readonly #readers: LogReaders;
  readonly #subscribing: SubscribeLine;
  readonly #handingOut: HandingOut;
  readonly #shardNumber: number;
  readonly #epoch: number;
  readonly #lingerMs: number;
  #commands: CommandFollower | undefined;
  readonly #told: HeldBack<SessionCommand>;
  readonly #cancels = new Map<() => void, () => void>();
  #closing = false;

  /** Claims the shard, loads its sessions, and resolves when everything that was in the log for them has been handed out. */
  static async start(
    parts: WorkerParts,
    options: { shard: number; owner: string; limits: WorkerLimits },
  ): Promise<Worker> {
    const { shard, owner, limits } = options;
    let worker: Worker | undefined;
    // First what only one can have, where the log knows of owners. Nothing is heard before the worker is there.
    const hearing = {
      ...parts,
      hear: (commands: RemoteCommands) => {
        if (worker !== undefined) worker.#gateway?.hear(commands);
      },
      hearEdge: (commands: EdgeCommands) => {
        if (worker !== undefined) worker.#hearEdge(commands);
      },
      failed: (error: unknown) => parts.failed?.(error),
    };
    const commands = isShared(parts) ? await CommandFollower.open(hearing, shard) : undefined;
    try {
      const epoch = await parts.store.shards.claim(shard, owner);
      const checkpoints = await parts.store.shards.checkpoints(shard);
      worker = new Worker(parts, { shard, epoch, limits, checkpoints });
      worker.#commands = commands;
      await worker.#run(checkpoints);
      return worker;
    } catch (error) {
      await (worker ?? commands)?.close();
      throw error;
    }
  }

  private constructor(
    parts: WorkerParts,
    options: { shard: number; epoch: number; limits: WorkerLimits; checkpoints: readonly CheckpointRow[] },
  ) {
    const { publisher, fleet } = parts;
    const sure = () => fleet?.sure ?? null;
    this.#told = new HeldBack(sure, (command) => this.#tell(command));
    const topics = new LogTopics(parts);
    this.#parts = parts;
    const tell = (command: SessionCommand) => this.tell(command);
    this.#remote =
      parts.fleet && new RemoteClients({ ...parts, edges: parts.fleet, local: parts.edge }, { ...options, tell });
    const gateway = parts.gateway && { ...parts, ...parts.gateway, local: this.#remote ?? parts.edge };
    this.#gateway = gateway && new GatewayClients(gateway, gateway.limits, { epoch: options.epoch, shard: this });
    this.#edge = this.#gateway ?? this.#remote ?? parts.edge;
    const edge = this.#edge;
    this.#driver = new ShardDriver(
      { ...parts, ...(fleet && { sure }), edge, history: new History({ ...parts, topics }) },
      options,
    );
    this.#shardNumber = options.shard;
    this.#epoch = options.epoch;
    this.#lingerMs = options.limits.lingerMs;
    this.#handingOut = new HandingOut({ ...parts, driver: this.#driver });
    this.#readers = new LogReaders({
      ...parts,
      topics,
      shard: this.#driver.shard,
      name: `pulsegate-shard-${options.shard}`,
      limits: options.limits,
      handOut: async (follower, entries) => {
        const unsure = sure();
        if (unsure !== null) await unsure;
        await this.#handingOut.page(follower, entries);
      },
      retained: () => publisher.retained(),
      failed: (error) => parts.failed?.(error),
    });
    this.#subscribing = new SubscribeLine({ ...parts, readers: this.#readers, shard: this.#driver.shard });
  }

  tell(command: SessionCommand): void {
    this.#told.take(command);
  }

  #tell(command: SessionCommand): void {
    if (this.#closing) return;
    if (command.type === 'connected') {
      this.#gateway?.takenOver(command.clientId, command.connectionNumber);
      this.#remote?.takenOver(command.clientId, command.connectionNumber);
    }
    if (command.type === 'subscribe' || command.type === 'unsubscribe') this.#subscribing.take(command);
    else this.#driver.shard.command(command, this.#parts.clock.now());
  }

  /** See `LogReaders.discover`. */
  discover(logTopic: string): Promise<void> | null {
    return this.#readers.discover(logTopic);
  }

  /** See `LogReaders.acknowledged`. */
  acknowledged(receipt: Receipt): void {
    this.#readers.acknowledged(receipt);
  }

  get sessionCount(): number {
    return this.#driver.shard.sessionCount;
  }

  get subscriptionCount(): number {
    return this.#driver.shard.subscriptionCount;
  }

  /** See `BacklogAge`. */
  get backlogAgeMs(): number {
    return this.#handingOut.backlogAgeMs;
  }

  /** See `Shard.publishOwn`. */
  publishOwn(publication: Publication): void {
    this.#driver.shard.publishOwn(publication, this.#parts.clock.now());
  }

  /** Processes have come or gone. */
  look(): void {
    const remote = this.#remote;
    if (this.#closing || remote === undefined) return;
    retry('look', this.#parts, () => remote.look()).catch((error: unknown) => this.#parts.failed?.(error));
  }

  /** Finishes what is under way and writes a last checkpoint. Its clients' connections stay, until another owner has them come again. */
  async close(): Promise<void> {
    await this.#driver.settled();
    this.#closing = true;
    for (const cancel of this.#cancels.values()) cancel();
    await this.#commands?.close();
    this.#gateway?.close();
    this.#remote?.close();
    await this.#readers.close();
    await this.#driver.settled();
    await this.#driver.saveCheckpoints();
    await this.#driver.settled();
  }

  async #run(checkpoints: readonly CheckpointRow[]): Promise<void> {
    const { clock, telemetry } = this.#parts;
    const { shard } = this.#driver;
    const left = (row: PresenceRow) => {
      this.#gateway?.left(row);
      this.#remote?.left(row);
      this.#parts.edge.comeAgain(row.clientId, row.connectionNumber);
    };
    const epoch = isShared(this.#parts) ? this.#epoch : null;
    const replaced = await loadSessions(shard, { ...this.#parts, shardNumber: this.#shardNumber, epoch, left });
    // Before anything else of their clients is cleared, and not before all are here who may have what they leave.
    for (const session of replaced) this.#driver.clear(session);
    shard.tick(clock.now());
    await this.#readers.start(checkpoints);
    this.#commands?.go();
    this.#every(TICK_EVERY_MS, async () => {
      await this.#parts.fleet?.sure;
      shard.tick(clock.now());
    });
    this.#every(CHECKPOINT_EVERY_MS, async () => this.#readers.acknowledge(await this.#driver.saveCheckpoints()));
    this.#every(LOOK_EVERY_MS, () => this.#readers.look());
    this.#every(Math.max(SWEEP_EVERY_MIN_MS, this.#lingerMs / 2), () => this.#readers.sweep());
    telemetry.log('debug', 'shard-owned', { shard: this.#shardNumber, sessions: shard.sessionCount });
  }

  #hearEdge(commands: EdgeCommands): void {
    this.#remote?.hear(commands, (clientId, number) => this.#gateway?.takenOver(clientId, number));
  }

  /** Calls again and again, the next time only after the last has finished. */
  #every(ms: number, run: () => Promise<void>): void {
    const failed = (error: unknown) =>
      this.#parts.telemetry.log('warn', 'repeated-work-failed', { error: String(error) });
    const arm = () => {
      if (this.#closing) return;
      this.#cancels.set(
        arm,
        this.#parts.clock.after(ms, () => void run().catch(failed).finally(arm)),
      );
    };
    arm();
  }
}

/** Whether connections of its clients may be elsewhere. */
function isShared({ gateway, fleet }: WorkerParts): boolean {
  return gateway !== undefined || fleet !== undefined;
}
