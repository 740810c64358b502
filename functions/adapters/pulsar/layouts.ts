import type { Receipt } from '../../ports/log.js';
import { layoutOf } from '../../topics/key-hash.js';

const PARTITION = /^(.*)-partition-(\d+)$/;

/** How many partitions topics have, as far as was seen; a topic without partitions has one layout, 0. */
export class Layouts {
  readonly #counts = new Map<string, number>();

  /** `names`: all partitions of a topic. */
  learn(names: readonly string[]): void {
    const topic = PARTITION.exec(names[0] ?? '')?.[1];
    if (topic !== undefined) this.#counts.set(topic, Math.max(names.length, this.#counts.get(topic) ?? 0));
  }

  /** The place with its layout; the very object where it has none. */
  placed<T extends Receipt>(place: T, key: string): T {
    const [, topic, digits] = PARTITION.exec(place.partition) ?? [];
    if (topic === undefined) return place;
    const index = Number(digits);
    const count = Math.max(this.#counts.get(topic) ?? 0, index + 1);
    return { ...place, layout: layoutOf(key, index, count) };
  }
}

export function isPartition(name: string): boolean {
  return PARTITION.test(name);
}
