import { PortError } from '../../ports/errors.js';
import { closed } from './errors.js';

/** Writes of one client that may wait behind each other. More answer `full`. */
const LINE_MAX_WRITES = 10_000;
/** Keys of one client that are being written at once: one batch takes as many, so that what a crash leaves is a beginning of the line. */
export const TOGETHER_MAX = 25;

interface Turn {
  /** Neighbours in line that carry the same name and share no key go together. */
  together: string | null;
  keys: readonly string[];
  run: () => Promise<void>;
}

/**
 * A line a client, a retained topic and a shard: its writes take effect in the order of the calls. Neighbours that fit one batch (rows of a
 * queue) or whose order does not matter (QoS 2 packet identifiers) go together, so that a pipelining client does not wait for a round trip each.
 */
export class ClientLines {
  readonly #lines = new Map<string, Turn[]>();
  readonly #draining = new Set<Promise<void>>();
  #isClosed = false;

  /** Runs `write` when it is its turn. */
  enter<T>(
    clientId: string,
    write: () => Promise<T>,
    together: string | null = null,
    keys: readonly string[] = [],
  ): Promise<T> {
    if (this.#isClosed) return Promise.reject(closed());
    return new Promise((resolve, reject) => {
      const run = (): Promise<void> => write().then(resolve, reject);
      const line = this.#lines.get(clientId);
      if (line && line.length >= LINE_MAX_WRITES) {
        reject(new PortError('full', `${LINE_MAX_WRITES} writes of one client wait`));
      } else if (line) {
        line.push({ together, keys, run });
      } else {
        const begun = [{ together, keys, run }];
        this.#lines.set(clientId, begun);
        const draining = this.#drain(clientId, begun).finally(() => this.#draining.delete(draining));
        this.#draining.add(draining);
      }
    });
  }

  /** Resolves when all that was begun is done; later writes reject `gone`. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#draining);
  }

  async #drain(clientId: string, line: Turn[]): Promise<void> {
    // What the same turn of the event loop still brings goes together.
    await Promise.resolve();
    while (line.length > 0) await Promise.all(takeNeighbours(line).map(({ run }) => run()));
    this.#lines.delete(clientId);
  }
}

/** No client's name begins so [MQTT-1.5.4-2]. */
export function topicLine(topic: string): string {
  return `\0topic ${topic}`;
}

export function shardLine(shard: number): string {
  return `\0shard ${shard}`;
}

function takeNeighbours(line: Turn[]): Turn[] {
  const { together } = line[0]!;
  const keys = new Set<string>();
  let count = 0;
  for (const turn of line) {
    const joins = together !== null && turn.together === together && keys.size + turn.keys.length <= TOGETHER_MAX;
    if (count > 0 && (!joins || turn.keys.some((key) => keys.has(key)))) break;
    for (const key of turn.keys) keys.add(key);
    count += 1;
  }
  return line.splice(0, count);
}
