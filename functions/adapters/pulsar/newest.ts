import type { Position, Receipt } from '../../ports/log.js';

const PARTITIONS_MAX = 10_000;

/**
 * The newest receipts of this process. Pulsar acknowledges a message a moment before it says that it is the last one, and
 * whoever has its receipt must not be told otherwise.
 */
export class NewestReceipts {
  /** The one that came first is forgotten first. */
  readonly #positions = new Map<string, Position>();

  add({ partition, position }: Receipt): void {
    const known = this.#positions.get(partition);
    if (known !== undefined) {
      if (known < position) this.#positions.set(partition, position);
      return;
    }
    this.#positions.set(partition, position);
    const [oldest] = this.#positions.keys();
    if (this.#positions.size > PARTITIONS_MAX && oldest !== undefined) this.#positions.delete(oldest);
  }

  /** The newer of what Pulsar says and what this process knows. */
  last(partition: string, said: Position | undefined): Position | undefined {
    const known = this.#positions.get(partition);
    return known !== undefined && known > (said ?? '') ? known : said;
  }
}
