import { shardOf } from '../../../functions/topics/shard.js';
import type { StockLevel } from '../../support/raw-client.js';
import { type Scope, within } from '../../support/waiting.js';
import type { Fleet } from '../fleet.js';
import { accountOf, type Figures } from './account.js';
import { Reader } from './reader.js';
import { Writer } from './writer.js';

const SUBSCRIBED_DEADLINE_MS = 10_000;
/** For a clean end after the last fault: what is far from it is lost. */
const ANSWERED_DEADLINE_MS = 15_000;
const DELIVERED_DEADLINE_MS = 15_000;
/** What comes a second time comes within this time. */
const QUIET_MS = 500;
/** Each of six writers: 120 publications a second, 480 deliveries of them to four readers. */
const EVERY_MS = 50;

export interface LoadOptions {
  everyMs?: number;
  /** Of each QoS 0, 1 and 2. */
  writers?: number;
  /** Of each QoS 1 and 2. */
  readers?: number;
}

/** Writers of QoS 0, 1 and 2 and readers of QoS 1 and 2, spread over the edges and shards of a fleet. */
export class Load {
  readonly writers: readonly Writer[];
  readonly readers: readonly Reader[];
  /** From each fault to what counts as recovery, by name: the longest of all rounds. */
  readonly recoveries = new Map<string, number>();
  #begunAt = 0;
  #endedAt = 0;

  constructor(scope: Scope, fleet: Fleet, { everyMs = EVERY_MS, writers = 2, readers = 2 }: LoadOptions = {}) {
    const qosOf = (count: number, ...all: (0 | 1 | 2)[]) => all.flatMap((qos) => Array<0 | 1 | 2>(count).fill(qos));
    const levelOf = (i: number): StockLevel => (i % 2 === 0 ? 5 : 4);
    this.writers = qosOf(writers, 0, 1, 2).map((qos, i) => {
      const name = nameOn(i % fleet.shards, fleet.shards, `w${i}`);
      return new Writer(fleet.dialFrom(i), { name, qos, level: levelOf(i), everyMs });
    });
    this.readers = qosOf(readers, 1, 2).map((qos, i) => {
      const name = nameOn(i % fleet.shards, fleet.shards, `r${i}`);
      // Neither always at the edge of its shard's owner, nor never.
      return new Reader(fleet.dialFrom(i + (i >> 1)), { name, qos: qos as 1 | 2, level: levelOf(i >> 1) });
    });
    scope.after(async () => {
      for (const client of [...this.writers, ...this.readers]) client.end();
    });
  }

  /** Resolves when every reader has been given something. */
  async begin(): Promise<void> {
    const subscribed = Promise.all(this.readers.map((reader) => reader.subscribe()));
    await within('every reader is subscribed', subscribed, SUBSCRIBED_DEADLINE_MS);
    for (const writer of this.writers) writer.start();
    await this.delivered(performance.now(), 'the first delivery');
    this.#begunAt = performance.now();
  }

  get isFinished(): boolean {
    return this.#endedAt > 0;
  }

  /** From now on what comes counts as recovery. */
  fault(): number {
    return performance.now();
  }

  /** Resolves when every reader has had something that was sent after that time. */
  async delivered(at: number, name = 'first delivery'): Promise<void> {
    const sentAt = (payload: string) => this.#sentAt(payload);
    await Promise.all(
      this.readers.map(({ arrivals, name: reader }) =>
        arrivals.find(`something new at ${reader}`, (payload) => sentAt(payload) > at, DELIVERED_DEADLINE_MS),
      ),
    );
    this.recovered(at, name);
  }

  recovered(at: number, name: string): number {
    const ms = Math.round(performance.now() - at);
    this.recoveries.set(name, Math.max(ms, this.recoveries.get(name) ?? 0));
    return ms;
  }

  /** Load is a matter of time. */
  async pass(ms: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, ms));
  }

  /** Stops the writers, waits for what must come and for what must not. */
  async finish(): Promise<Figures> {
    this.#endedAt = performance.now();
    const problems: string[] = [];
    const answered = Promise.all(this.writers.map((writer) => writer.finish()));
    await within('an answer to everything', answered, ANSWERED_DEADLINE_MS).catch((error: Error) => {
      const left = this.writers.flatMap(({ unanswered }) => unanswered);
      problems.push(`${error.message}; ${left.length} have none, such as ${left.slice(0, 5).join(', ')}`);
    });
    this.recovered(this.#endedAt, 'last answer after the end');
    const acknowledged = this.writers.flatMap((writer) => writer.acknowledged);
    await Promise.all(
      this.readers.map((reader) =>
        reader.has(acknowledged, DELIVERED_DEADLINE_MS).catch((error: Error) => void problems.push(error.message)),
      ),
    );
    await Promise.all(this.readers.map(({ arrivals }) => arrivals.quiet(QUIET_MS)));
    const { writers, readers, recoveries } = this;
    return accountOf({ writers, readers, recoveries, begunAt: this.#begunAt, endedAt: this.#endedAt, problems });
  }

  #sentAt(payload: string): number {
    const name = payload.split(':')[0];
    return this.writers.find((writer) => writer.name === name)?.sentAt.get(payload) ?? 0;
  }
}

/** A client identifier that the shard has. */
export function nameOn(shard: number, shards: number, start: string): string {
  for (let i = 0; ; i += 1) {
    const name = `${start}-${i}`;
    if (shardOf(name, shards) === shard) return name;
  }
}
