import type { Receipt } from '../../ports/log.js';
import { layoutOf } from '../../topics/key-hash.js';

const PARTITION = /^(.*)-partition-(\d+)$/;

/** What the name of a partition says. */
interface Named {
  topic: string;
  index: number;
}

/** How many partitions topics have, as far as was seen; a topic without partitions has one layout, 0. */
export class Layouts {
  readonly #counts = new Map<string, number>();
  /** The last name that was read: those of many records in a row are the same. */
  #name = '';
  #named: Named | null = null;

  /** `names`: all partitions of a topic. */
  learn(names: readonly string[]): void {
    const topic = PARTITION.exec(names[0] ?? '')?.[1];
    if (topic !== undefined) this.#counts.set(topic, Math.max(names.length, this.#counts.get(topic) ?? 0));
  }

  /** The place with its layout; the very object where it has none. */
  placed<T extends Receipt>(place: T, key: string): T {
    const named = this.#read(place.partition);
    if (named === null) return place;
    const count = Math.max(this.#counts.get(named.topic) ?? 0, named.index + 1);
    return { ...place, layout: layoutOf(key, named.index, count) };
  }

  #read(name: string): Named | null {
    if (name === this.#name) return this.#named;
    const [, topic, digits] = PARTITION.exec(name) ?? [];
    this.#name = name;
    this.#named = topic === undefined ? null : { topic, index: Number(digits) };
    return this.#named;
  }
}

export function isPartition(name: string): boolean {
  return PARTITION.test(name);
}
