import { PortError } from '../../ports/errors.js';
import { closed } from './errors.js';

/** Writes of one client that may wait behind each other. More answer `full`. */
const LINE_MAX_WRITES = 10_000;
/** Of these, under way at once. */
const TOGETHER_MAX_WRITES = 64;
/** Rows of one client under way at once whose order matters: one batch takes as many, so a crash leaves a beginning of the line. */
export const ORDERED_MAX_ROWS = 25;

interface Turn {
  /** Neighbours in line of one kind go together, where they share no key. */
  kind: string | null;
  keys: readonly string[];
  /** How many of them are rows that a crash may not leave without those before them. */
  ordered: number;
}

interface Waiting extends Turn {
  run: () => Promise<void>;
}

/** Alone, after all before it and before all behind it. */
const ALONE: Turn = { kind: null, keys: [], ordered: 0 };

/**
 * A line a client, its presence, a retained topic and a shard: its writes take effect in the order of the calls. Neighbours that fit one batch
 * (new rows of a queue) or whose order does not matter (QoS 2 packet identifiers) go together, so that a pipelining client does not wait for a
 * round trip each.
 */
export class ClientLines {
  readonly #lines = new Map<string, Waiting[]>();
  readonly #draining = new Set<Promise<void>>();
  #isClosed = false;

  /** Runs `write` when it is its turn. */
  enter<T>(line: string, write: () => Promise<T>, turn = ALONE): Promise<T> {
    if (this.#isClosed) return Promise.reject(closed());
    return new Promise((resolve, reject) => {
      const run = (): Promise<void> => write().then(resolve, reject);
      const waiting = this.#lines.get(line);
      if (waiting && waiting.length >= LINE_MAX_WRITES) {
        reject(new PortError('full', `${LINE_MAX_WRITES} writes of one client wait`));
      } else if (waiting) {
        waiting.push({ ...turn, run });
      } else {
        const begun: Waiting[] = [{ ...turn, run }];
        this.#lines.set(line, begun);
        const draining = this.#drain(line, begun).finally(() => this.#draining.delete(draining));
        this.#draining.add(draining);
      }
    });
  }

  /** Resolves when all that was begun is done; later writes reject `gone`. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#draining);
  }

  async #drain(line: string, waiting: Waiting[]): Promise<void> {
    // What the same turn of the event loop still brings goes together.
    await Promise.resolve();
    while (waiting.length > 0) await Promise.all(takeNeighbours(waiting).map(({ run }) => run()));
    this.#lines.delete(line);
  }
}

/** No client's name begins so [MQTT-1.5.4-2]. */
export function topicLine(topic: string): string {
  return `\0topic ${topic}`;
}

/** Its own, because a client that comes back does not wait for what is queued for it. */
export function presenceLine(clientId: string): string {
  return `\0presence ${clientId}`;
}

export function shardLine(shard: number): string {
  return `\0shard ${shard}`;
}

function takeNeighbours(line: Waiting[]): Waiting[] {
  const { kind } = line[0]!;
  const keys = new Set<string>();
  let ordered = 0;
  let count = 0;
  for (const turn of line) {
    ordered += turn.ordered;
    const joins = kind !== null && turn.kind === kind && count < TOGETHER_MAX_WRITES && ordered <= ORDERED_MAX_ROWS;
    if (count > 0 && (!joins || turn.keys.some((key) => keys.has(key)))) break;
    for (const key of turn.keys) keys.add(key);
    count += 1;
  }
  return line.splice(0, count);
}
