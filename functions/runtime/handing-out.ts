import { retainedRows } from '../fan-out/retained-row.js';
import type { Clock } from '../ports/clock.js';
import type { LogEntry } from '../ports/log.js';
import type { Telemetry } from '../ports/telemetry.js';
import { fromRecord } from '../topics/record.js';
import { layoutIn, type Routes } from '../topics/routes.js';
import { BacklogAge } from './backlog-age.js';
import type { PartitionFollower } from './partition-follower.js';
import { Repeats } from './repeats.js';
import { Seldom } from './seldom.js';
import type { ShardDriver } from './shard-driver.js';

interface Parts {
  clock: Clock;
  telemetry: Telemetry;
  routes: Routes;
  driver: ShardDriver;
}

const YIELD_ENTRIES = 512;
const YIELD_BYTES = 256 * 1024;
/** A topic with records that are no publications is named at most this often. */
const SKIPPED_SAID_EVERY_MS = 3_600_000;

/** What is read of the log becomes publications, and is handed to the shard, each record once. */
export class HandingOut {
  readonly #parts: Parts;
  readonly #seldom: Seldom;
  readonly #repeats = new Repeats();
  readonly #backlogAge = new BacklogAge();

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#seldom = new Seldom(parts.clock, SKIPPED_SAID_EVERY_MS);
  }

  /** See `BacklogAge`. */
  get backlogAgeMs(): number {
    return this.#backlogAge.at(this.#parts.clock.now());
  }

  /** Resolves when the next page may come. */
  async page(follower: PartitionFollower, entries: readonly LogEntry[]): Promise<void> {
    let now = this.#parts.clock.now();
    this.#parts.telemetry.count('log-pages-read');
    this.#parts.telemetry.count('log-records-read', entries.length);
    let bytes = 0;
    if (entries[0] !== undefined) this.#backlogAge.handedOut(entries[0].appendedAtMs, now);
    for (const entry of entries) {
      if (follower.isOver) return;
      if (this.#parts.driver.isStoringMuch) {
        await this.#parts.driver.stored();
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
    const { driver, routes } = this.#parts;
    const { shard } = driver;
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
    if (publication.retain) driver.retain(retainedRows(place, publication));
    shard.publish(place, publication, entry.position <= last, now);
  }

  #skipped(logTopic: string, { partition, position }: LogEntry, problem: string): void {
    const { telemetry } = this.#parts;
    telemetry.count('log-records-skipped');
    if (this.#seldom.may(logTopic)) telemetry.log('warn', 'log-record-skipped', { partition, position, problem });
  }
}
