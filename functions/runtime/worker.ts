import { retainedRows } from '../fan-out/retained-row.js';
import type { SessionChannel } from '../ports/channels.js';
import type { Log, LogEntry, Receipt } from '../ports/log.js';
import type { SessionCommand } from '../ports/session-commands.js';
import type { CheckpointRow, PresenceRow } from '../ports/store.js';
import type { SessionLimits } from '../session/state.js';
import type { Publication } from '../topics/publication.js';
import { fromRecord } from '../topics/record.js';
import { layoutIn } from '../topics/routes.js';
import { BacklogAge } from './backlog-age.js';
import { CommandFollower } from './command-follower.js';
import { GatewayClients, type GatewayClientsLimits, type GatewayClientsParts } from './gateway-clients.js';
import { History } from './history.js';
import { loadSessions } from './load-sessions.js';
import { LogReaders, type ReadLimits } from './log-readers.js';
import { LogTopics } from './log-topics.js';
import type { PartitionFollower } from './partition-follower.js';
import type { RemoteCommands } from './remote-commands.js';
import { Repeats } from './repeats.js';
import { Seldom } from './seldom.js';
import { ShardDriver, type ShardDriverParts } from './shard-driver.js';
import { SubscribeLine } from './subscribe-line.js';

export interface WorkerParts extends Omit<ShardDriverParts, 'history'> {
  log: Log;
  /** Where a gateway holds connections of clients: how they are reached. */
  gateway?: Omit<GatewayClientsParts, 'clock' | 'telemetry' | 'presence' | 'local'> & { limits: GatewayClientsLimits };
}

export type WorkerLimits = SessionLimits & ReadLimits;

const YIELD_ENTRIES = 512;
const YIELD_BYTES = 256 * 1024;
/** How often the checkpoint is written: what a crash makes replay read again. */
const CHECKPOINT_EVERY_MS = 1_000;
/** How late a will or a session's end may be. */
const TICK_EVERY_MS = 250;
/** How late fan-out may come to know of a topic or partition that somebody else has made. */
const LOOK_EVERY_MS = 5_000;
const SWEEP_EVERY_MIN_MS = 1_000;
/** A topic with records that are no publications is named at most this often. */
const SKIPPED_SAID_EVERY_MS = 3_600_000;

/** The fan-out worker: owns a shard, reads of the log what its sessions need, and keeps its checkpoint. */
export class Worker implements SessionChannel {
  readonly #parts: WorkerParts;
  readonly #driver: ShardDriver;
  readonly #clients: GatewayClients | undefined;
  readonly #readers: LogReaders;
  readonly #subscribing: SubscribeLine;
  readonly #seldom: Seldom;
  readonly #repeats = new Repeats();
  readonly #backlogAge = new BacklogAge();
  readonly #shardNumber: number;
  readonly #lingerMs: number;
  #commands: CommandFollower | undefined;
  readonly #cancels = new Map<() => void, () => void>();
  #closing = false;

  /** Claims the shard, loads its sessions, and resolves when everything that was in the log for them has been handed out. */
  static async start(
    parts: WorkerParts,
    options: { shard: number; owner: string; limits: WorkerLimits },
  ): Promise<Worker> {
    const { shard, owner, limits } = options;
    const epoch = await parts.store.shards.claim(shard, owner);
    const checkpoints = await parts.store.shards.checkpoints(shard);
    const worker = new Worker(parts, { shard, epoch, limits, checkpoints });
    try {
      await worker.#run(checkpoints);
    } catch (error) {
      await worker.close();
      throw error;
    }
    return worker;
  }

  private constructor(
    parts: WorkerParts,
    options: { shard: number; epoch: number; limits: WorkerLimits; checkpoints: readonly CheckpointRow[] },
  ) {
    const { clock, publisher } = parts;
    const topics = new LogTopics(parts);
    this.#parts = parts;
    const gateway = parts.gateway && { ...parts, ...parts.gateway, local: parts.edge };
    this.#clients = gateway && new GatewayClients(gateway, gateway.limits, { epoch: options.epoch, shard: this });
    const edge = this.#clients ?? parts.edge;
    this.#driver = new ShardDriver({ ...parts, edge, history: new History({ ...parts, topics }) }, options);
    this.#shardNumber = options.shard;
    this.#lingerMs = options.limits.lingerMs;
    this.#seldom = new Seldom(clock, SKIPPED_SAID_EVERY_MS);
    this.#readers = new LogReaders({
      ...parts,
      topics,
      shard: this.#driver.shard,
      name: `pulsegate-shard-${options.shard}`,
      limits: options.limits,
      handOut: (follower, entries) => this.#handOutAll(follower, entries),
      retained: () => publisher.retained(),
      failed: (error) => parts.failed?.(error),
    });
    this.#subscribing = new SubscribeLine({ ...parts, readers: this.#readers, shard: this.#driver.shard });
  }

  tell(command: SessionCommand): void {
    if (command.type === 'connected') this.#clients?.takenOver(command.clientId, command.connectionNumber);
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
    return this.#backlogAge.at(this.#parts.clock.now());
  }

  /** See `Shard.publishOwn`. */
  publishOwn(publication: Publication): void {
    this.#driver.shard.publishOwn(publication, this.#parts.clock.now());
  }

  /** Finishes what is under way and writes a last checkpoint. No command may follow. */
  async close(): Promise<void> {
    await this.#driver.settled();
    this.#closing = true;
    for (const cancel of this.#cancels.values()) cancel();
    await this.#commands?.close();
    this.#clients?.close();
    await this.#readers.close();
    await this.#driver.settled();
    await this.#driver.saveCheckpoints();
    await this.#driver.settled();
  }

  async #run(checkpoints: readonly CheckpointRow[]): Promise<void> {
    const { clock, telemetry } = this.#parts;
    const { shard } = this.#driver;
    const clients = this.#clients;
    if (clients !== undefined) {
      const hear = (commands: RemoteCommands) => clients.hear(commands);
      const failed = (error: unknown) => this.#parts.failed?.(error);
      this.#commands = await CommandFollower.open({ ...this.#parts, hear, failed }, this.#shardNumber);
    }
    const left = (row: PresenceRow) => clients?.left(row);
    const replaced = await loadSessions(shard, { ...this.#parts, shardNumber: this.#shardNumber, left });
    // Before anything else of their clients is cleared, and not before all are here who may have what they leave.
    for (const session of replaced) this.#driver.clear(session);
    shard.tick(clock.now());
    await this.#readers.start(checkpoints);
    this.#commands?.go();
    this.#every(TICK_EVERY_MS, async () => shard.tick(clock.now()));
    this.#every(CHECKPOINT_EVERY_MS, async () => this.#readers.acknowledge(await this.#driver.saveCheckpoints()));
    this.#every(LOOK_EVERY_MS, () => this.#readers.look());
    this.#every(Math.max(SWEEP_EVERY_MIN_MS, this.#lingerMs / 2), () => this.#readers.sweep());
    telemetry.log('debug', 'shard-owned', { shard: this.#shardNumber, sessions: shard.sessionCount });
  }

  async #handOutAll(follower: PartitionFollower, entries: readonly LogEntry[]): Promise<void> {
    let now = this.#parts.clock.now();
    let bytes = 0;
    if (entries[0] !== undefined) this.#backlogAge.handedOut(entries[0].appendedAtMs, now);
    for (const entry of entries) {
      if (this.#driver.isStoringMuch) {
        await this.#driver.stored();
        now = this.#parts.clock.now();
      }
      this.#tryHandOut(follower, entry, now);
      bytes += entry.record.payload.length;
    }
    // Much at once means that more may be waiting: sockets and timers get their turn first.
    if (entries.length > YIELD_ENTRIES || bytes > YIELD_BYTES) await new Promise((resume) => setImmediate(resume));
  }

  /** A defect that one publication brings out must not end fan-out for all that come after it. */
  #tryHandOut(follower: PartitionFollower, entry: LogEntry, now: number): void {
    try {
      this.#handOut(follower, entry, now);
    } catch (defect) {
      const { partition, position } = entry;
      this.#parts.telemetry.log('error', 'defect', { partition, position, error: String(defect) });
    }
  }

  #handOut({ logTopic, last, spellings }: PartitionFollower, entry: LogEntry, now: number): void {
    const { routes } = this.#parts;
    const { shard } = this.#driver;
    const mqttTopic = routes.toTopic(logTopic, entry.record.key);
    const problem = 'its key stands for no MQTT topic';
    const topic = mqttTopic && (spellings?.short ?? mqttTopic);
    const publication = topic === null ? { problem } : fromRecord(entry.record, topic, entry.appendedAtMs);
    if ('problem' in publication) {
      this.#skipped(logTopic, entry, publication.problem);
      return shard.skip(entry);
    }
    if (this.#repeats.isRepeat(entry, publication)) {
      this.#parts.telemetry.count('log-records-repeated');
      return shard.skip(entry);
    }
    // Whoever appended it may not have lived to write the row, or may have failed; writing it twice is harmless.
    const named = spellings === undefined ? entry : { ...entry, spellings };
    const place = publication.retain ? { ...named, layout: layoutIn(routes, logTopic, entry) } : named;
    if (publication.retain) this.#driver.retain(retainedRows(place, publication));
    shard.publish(place, publication, entry.position <= last, now);
  }

  #skipped(logTopic: string, { partition, position }: LogEntry, problem: string): void {
    const { telemetry } = this.#parts;
    telemetry.count('log-records-skipped');
    if (this.#seldom.may(logTopic)) telemetry.log('warn', 'log-record-skipped', { partition, position, problem });
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
