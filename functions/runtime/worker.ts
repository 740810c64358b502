import { retainedRow } from '../fan-out/retained-row.js';
import type { SessionChannel } from '../ports/channels.js';
import type { Log, LogEntry, LogReader } from '../ports/log.js';
import type { SessionCommand } from '../ports/session-commands.js';
import type { SessionLimits } from '../session/state.js';
import type { Publication } from '../topics/publication.js';
import { fromRecord } from '../topics/record.js';
import type { Routes } from '../topics/routes.js';
import { History } from './history.js';
import { loadSessions } from './load-sessions.js';
import { ShardDriver, type ShardDriverParts } from './shard-driver.js';

export interface WorkerParts extends Omit<ShardDriverParts, 'history'> {
  log: Log;
  routes: Routes;
  /** Told when nothing more can be handed out: whoever runs the worker starts another. */
  failed?: (error: unknown) => void;
}

/** Entries asked for at a time: what one turn of the event loop takes in, or fan-out falls behind ingestion. */
const READ_ENTRIES = 8_192;
const YIELD_ENTRIES = 512;
const YIELD_BYTES = 256 * 1024;
/** How often the checkpoint is written: what a crash makes replay read again. */
const CHECKPOINT_EVERY_MS = 1_000;
/** How late a will or a session's end may be. */
const TICK_EVERY_MS = 250;

/** The fan-out worker: owns a shard, reads the log for it, and keeps its checkpoint. */
export class Worker implements SessionChannel {
  readonly #parts: WorkerParts;
  readonly #driver: ShardDriver;
  readonly #shardNumber: number;
  readonly #readers: LogReader[] = [];
  readonly #loops: Promise<void>[] = [];
  readonly #cancels = new Map<() => void, () => void>();
  #closing = false;

  /** Claims the shard, loads its sessions, and resolves when everything that was in the log has been handed out. */
  static async start(
    parts: WorkerParts,
    options: { shard: number; owner: string; limits: SessionLimits },
  ): Promise<Worker> {
    const { shard, owner, limits } = options;
    const epoch = await parts.store.shards.claim(shard, owner);
    const checkpoints = await parts.store.shards.checkpoints(shard);
    const worker = new Worker(
      parts,
      new ShardDriver({ ...parts, history: new History(parts) }, { shard, epoch, limits, checkpoints }),
      shard,
    );
    try {
      await worker.#run();
    } catch (error) {
      await worker.close();
      throw error;
    }
    return worker;
  }

  private constructor(parts: WorkerParts, driver: ShardDriver, shardNumber: number) {
    this.#parts = parts;
    this.#driver = driver;
    this.#shardNumber = shardNumber;
  }

  tell(command: SessionCommand): void {
    this.#driver.shard.command(command, this.#parts.clock.now());
  }

  get sessionCount(): number {
    return this.#driver.shard.sessionCount;
  }

  get subscriptionCount(): number {
    return this.#driver.shard.subscriptionCount;
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
    await Promise.allSettled(this.#readers.map((reader) => reader.close()));
    await Promise.allSettled(this.#loops);
    await this.#driver.settled();
    await this.#saveCheckpoints();
    await this.#driver.settled();
  }

  async #run(): Promise<void> {
    const { clock, telemetry, log, routes } = this.#parts;
    const { shard } = this.#driver;
    await loadSessions(shard, { ...this.#parts, shardNumber: this.#shardNumber });
    const replays: Promise<void>[] = [];
    for (const reading of routes.readings('#')) {
      if ('namespace' in reading) throw new Error('routes that cannot name their log topics are not in this version');
      const topic = reading.logTopic;
      for (const partition of await log.partitions(topic)) replays.push(this.#follow(topic, partition));
    }
    await Promise.all(replays);
    this.#every(TICK_EVERY_MS, async () => shard.tick(clock.now()));
    this.#every(CHECKPOINT_EVERY_MS, () => this.#saveCheckpoints());
    telemetry.log('debug', 'shard-owned', { shard: this.#shardNumber, sessions: shard.sessionCount });
  }

  /** Reads a partition for as long as the worker lives; resolves when what was there at the start has been handed out. */
  async #follow(topic: string, partition: string): Promise<void> {
    const { log, telemetry } = this.#parts;
    const last = (await log.last(partition)) ?? '';
    const low = this.#driver.shard.low(partition);
    const name = `pulsegate-shard-${this.#shardNumber}`;
    const reader = await log.read(partition, low === null ? 'earliest' : { after: low }, { name });
    this.#readers.push(reader);
    return new Promise((caughtUp, reject) => {
      if ((low ?? '') >= last) caughtUp();
      const loop = this.#readAll(topic, reader, last, caughtUp).catch((error: unknown) => {
        if (this.#closing) return;
        telemetry.log('error', 'log-reader-failed', { partition, error: String(error) });
        reject(error);
        this.#parts.failed?.(error);
      });
      this.#loops.push(loop);
    });
  }

  async #readAll(topic: string, reader: LogReader, last: string, caughtUp: () => void): Promise<void> {
    while (!this.#closing) {
      const entries = await reader.read(READ_ENTRIES);
      let now = this.#parts.clock.now();
      let bytes = 0;
      for (const entry of entries) {
        if (this.#driver.isStoringMuch) {
          await this.#driver.stored();
          now = this.#parts.clock.now();
        }
        this.#tryHandOut(topic, entry, entry.position <= last, now);
        bytes += entry.record.payload.length;
      }
      const newest = entries[entries.length - 1];
      if (newest !== undefined && newest.position >= last) caughtUp();
      // Much at once means that more may be waiting: sockets and timers get their turn first.
      if (entries.length > YIELD_ENTRIES || bytes > YIELD_BYTES) await new Promise((resume) => setImmediate(resume));
    }
  }

  /** A defect that one publication brings out must not end fan-out for all that come after it. */
  #tryHandOut(topic: string, entry: LogEntry, isReplay: boolean, now: number): void {
    try {
      this.#handOut(topic, entry, isReplay, now);
    } catch (defect) {
      const { partition, position } = entry;
      this.#parts.telemetry.log('error', 'defect', { partition, position, error: String(defect) });
    }
  }

  #handOut(topic: string, entry: LogEntry, isReplay: boolean, now: number): void {
    const { routes, telemetry } = this.#parts;
    const mqttTopic = routes.toTopic(topic, entry.record.key);
    const publication =
      mqttTopic === null ? { problem: 'no route' } : fromRecord(entry.record, mqttTopic, entry.appendedAtMs);
    if ('problem' in publication) {
      telemetry.count('log-records-skipped');
      return this.#driver.shard.skip(entry);
    }
    // Whoever appended it may not have lived to write the row, or may have failed; writing it twice is harmless.
    if (publication.retain) this.#driver.retain(retainedRow(entry, publication));
    this.#driver.shard.publish(entry, publication, isReplay, now);
  }

  /** The log's own record of what was read only trims: it follows the checkpoint. */
  async #saveCheckpoints(): Promise<void> {
    for (const { partition, low } of await this.#driver.saveCheckpoints()) {
      const reader = this.#readers.find((candidate) => candidate.partition === partition);
      if (low !== null) await reader?.acknowledge(low);
    }
  }

  /** Calls again and again, the next time only after the last has finished. */
  #every(ms: number, run: () => Promise<void>): void {
    const defect = (error: unknown) => this.#parts.telemetry.log('error', 'defect', { error: String(error) });
    const arm = () => {
      if (this.#closing) return;
      this.#cancels.set(
        arm,
        this.#parts.clock.after(ms, () => void run().catch(defect).finally(arm)),
      );
    };
    arm();
  }
}
