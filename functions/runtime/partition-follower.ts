import type { Clock } from '../ports/clock.js';
import type { HistoryFrom, Log, LogEntry, LogReader, Position } from '../ports/log.js';
import type { Spellings } from '../topics/spellings.js';

export interface FollowerParts {
  clock: Clock;
  log: Log;
  /** Takes a page; the next is not read before it resolves. */
  handOut: (follower: PartitionFollower, entries: readonly LogEntry[]) => Promise<void>;
  /** Told when nothing more will come. */
  failed: (error: unknown) => void;
}

/** Entries asked for at a time: what one turn of the event loop takes in, or fan-out falls behind ingestion. */
const READ_ENTRIES = 8_192;
/** With nothing to read for so long, the log is asked whether what was there at the start is there still. */
const IDLE_MS = 2_000;

/** Reads one partition until it is closed. */
export class PartitionFollower {
  readonly logTopic: string;
  /** Where the topic has two names for MQTT. */
  readonly spellings: Spellings | undefined;
  readonly partition: string;
  /** What was there when reading began: an owner before this one may have handed it out. */
  readonly last: Position;
  /** Resolves when all of that has been handed out. */
  readonly caughtUp: Promise<void>;
  /** When a filter was last seen to need it, in milliseconds since the epoch. */
  wantedAtMs: number;
  readonly #parts: FollowerParts;
  readonly #reader: LogReader;
  readonly #loop: Promise<void>;
  #at: Position;
  /** The newest that has to come. */
  #expected: Position = '';
  readonly #waiting = new Set<() => void>();
  #isClosing = false;
  #isCaughtUp: () => void = () => {};

  constructor(
    parts: FollowerParts,
    options: { logTopic: string; spellings?: Spellings; reader: LogReader; at: Position; last: Position; now: number },
  ) {
    this.#parts = parts;
    this.#reader = options.reader;
    this.logTopic = options.logTopic;
    this.spellings = options.spellings;
    this.partition = options.reader.partition;
    this.last = options.last;
    this.#at = options.at;
    this.wantedAtMs = options.now;
    this.caughtUp = new Promise((resolve) => {
      this.#isCaughtUp = resolve;
    });
    this.#loop = this.#run();
    if (this.#at >= this.last) this.#isCaughtUp();
    else this.#lookLater();
  }

  /** Nothing that was read may be handed out any more: whoever let go of the partition has forgotten how far it is done. */
  get isOver(): boolean {
    return this.#isClosing;
  }

  /** It is in the log, and will come. */
  expect(position: Position): void {
    if (position > this.#expected) this.#expected = position;
  }

  /** Whether something that is in the log has not been handed out yet. */
  get isBehind(): boolean {
    return this.#at < this.#expected;
  }

  /** Resolves when all that is expected by now has been handed out, or after so long. */
  async reached(maxMs: number): Promise<void> {
    const goal = this.#expected;
    if (this.#at >= goal) return;
    await new Promise<void>((resolve) => {
      const look = () => {
        if (this.#at >= goal) done();
      };
      const cancel = this.#parts.clock.after(maxMs, () => done());
      const done = () => {
        cancel();
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
    });
  }

  /** See `LogReader.acknowledge`. */
  acknowledge(position: Position): Promise<void> {
    return this.#reader.acknowledge(position);
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#reader.close();
    await this.#loop;
  }

  async #run(): Promise<void> {
    try {
      while (!this.#isClosing) {
        const entries = await this.#reader.read(READ_ENTRIES);
        await this.#parts.handOut(this, entries);
        this.#at = entries.at(-1)?.position ?? this.#at;
        if (this.#at >= this.last) this.#isCaughtUp();
        for (const look of [...this.#waiting]) look();
      }
    } catch (error) {
      if (!this.#isClosing) this.#parts.failed(error);
    }
  }

  /** Retention may have dropped what was there: then it will not come. */
  #lookLater(): void {
    const at = this.#at;
    this.#parts.clock.after(IDLE_MS, () => {
      if (this.#isClosing || this.#at >= this.last) return;
      if (this.#at !== at) return this.#lookLater();
      const from: HistoryFrom = at === '' ? 'earliest' : { after: at };
      this.#parts.log.history(this.partition, from, 1).then(
        ([next]) => (next === undefined || next.position > this.last ? this.#isCaughtUp() : this.#lookLater()),
        () => this.#lookLater(),
      );
    });
  }
}
