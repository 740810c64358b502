import { Reader } from '../../drills/load/reader.js';
import { Writer } from '../../drills/load/writer.js';
import type { Program } from '../../support/program.js';
import type { StockLevel } from '../../support/raw-client.js';
import type { Scope } from '../../support/waiting.js';
import { within } from '../../support/waiting.js';

const PUBLISHERS: readonly { qos: 1 | 2; level: StockLevel }[] = [
  { qos: 1, level: 4 },
  { qos: 1, level: 5 },
  { qos: 2, level: 4 },
  { qos: 2, level: 5 },
  { qos: 2, level: 5 },
];
const SUBSCRIBERS: readonly StockLevel[] = [4, 5];

/** Publishers of QoS 1 and 2, and subscribers that persist, on one program; what they saw and when. */
export class Drill {
  readonly name: string;
  readonly program: Program;
  readonly publishers: readonly Writer[];
  readonly subscribers: readonly Reader[];
  /** By `performance.now()`. */
  readonly acknowledgedAt: number[] = [];

  constructor(scope: Scope, name: string, program: Program) {
    this.name = name;
    this.program = program;
    this.publishers = PUBLISHERS.map(
      ({ qos, level }, i) =>
        new Writer(
          { url: () => program.url },
          {
            name: `${name}-p${i}`,
            qos,
            level,
            onAcknowledged: () => this.acknowledgedAt.push(performance.now()),
          },
        ),
    );
    this.subscribers = SUBSCRIBERS.map(
      (level, i) => new Reader({ url: () => program.url }, { name: `${name}-s${i}`, level }),
    );
    scope.after(async () => {
      for (const client of [...this.publishers, ...this.subscribers]) client.end();
    });
  }

  async begin(): Promise<void> {
    await within(
      `${this.name} is subscribed`,
      Promise.all(this.subscribers.map((subscriber) => subscriber.subscribe())),
      20_000,
    );
    for (const publisher of this.publishers) publisher.start();
  }

  /** Something is acknowledged. */
  async isUnderWay(): Promise<void> {
    await within(`${this.name} is under way`, this.#acknowledges(), 20_000);
  }

  async #acknowledges(): Promise<void> {
    while (this.acknowledgedAt.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  get arrivedAt(): number[] {
    return this.subscribers.flatMap(({ arrivedAt }) => arrivedAt).sort((a, b) => a - b);
  }

  get acknowledged(): string[] {
    return this.publishers.flatMap(({ acknowledged }) => acknowledged);
  }

  /** Resolves when everything sent has its answer. */
  async finish(deadlineMs: number): Promise<void> {
    try {
      await within('an answer to everything', Promise.all(this.publishers.map((each) => each.finish())), deadlineMs);
    } catch (error) {
      const left = this.publishers.flatMap(({ unanswered }) => unanswered);
      throw new Error(`${this.name}: ${(error as Error).message}; ${left.length} have none: ${left.slice(0, 5)}`);
    }
  }

  /** Milliseconds from `at`, by `performance.now()`, to the first acknowledgement and the first arrival after it. */
  recovery(at: number): { acknowledgedMs: number; arrivedMs: number } {
    const after = (times: readonly number[]) => Math.round((times.find((time) => time > at) ?? Infinity) - at);
    return { acknowledgedMs: after(this.acknowledgedAt), arrivedMs: after(this.arrivedAt) };
  }
}

/** The longest time between two, in milliseconds. */
export function longestStallMs(times: readonly number[]): number {
  return Math.round(Math.max(...times.slice(1).map((time, i) => time - (times[i] as number))));
}
