import type { Log, Receipt, Sought } from '../ports/log.js';

interface Search extends Sought {
  sinceMs: number;
  /** As in `FindWhen`. */
  lastMs?: number;
  isOwn: boolean;
  others: readonly Other[];
  resolve: (found: Receipt | undefined) => void;
  reject: (error: unknown) => void;
}

/** An append that another process may have made, which somebody is going to ask for. */
export interface Other extends Sought {
  sinceMs: number;
  lastMs: number;
}

/** An append of this process that ended in doubt. `found`: what was read of it since; absent: nothing was read yet. */
interface Doubt extends Sought {
  sinceMs: number;
  found?: Receipt | null;
}

/** Values looked for in one reading of the log. */
const SEARCHES_MAX = 1_000;
/** Appends in doubt that are remembered for a topic, and topics. Of those that are not, each is read for when it is asked for. */
const DOUBTS_MAX = 10_000;
const TOPICS_MAX = 1_000;

/**
 * Looks for appends in doubt. A client that resumes with thousands of them must not make the log be read once for each: what
 * is asked while a search is under way is looked for together by the next. Many clients ask for one only after they were
 * answered the last, so what this process itself left in doubt is looked for along with the first, and so is what else another
 * process may have appended for the same client.
 */
export class AppendSearch {
  readonly #log: Log;
  readonly #property: string;
  /** By log topic; there while a search is under way. */
  readonly #waiting = new Map<string, Search[]>();
  /** By log topic and value, what was looked for along with something else, and what came of it, until it is asked for. */
  readonly #known = new Map<string, { lastMs: number; found: Receipt | undefined }>();
  /** By log topic and value. */
  readonly #doubts = new Map<string, Map<string, Doubt>>();

  constructor(log: Log, property: string) {
    this.#log = log;
    this.#property = property;
  }

  /** Told of an append of this process that ended in doubt: nothing of it is on its way any more. */
  doubt(topic: string, append: Sought & { sinceMs: number }): void {
    const doubts = this.#doubts.get(topic) ?? new Map<string, Doubt>();
    putLast(this.#doubts, topic, doubts, TOPICS_MAX);
    putLast(doubts, append.value, { ...append }, DOUBTS_MAX);
  }

  /** The receipt of a record with that value of the property, from `sinceMs` on, if there is one. Rejects as `Log.find` does. */
  async find(
    topic: string,
    sought: Pick<Search, keyof Sought | 'sinceMs' | 'lastMs' | 'isOwn'>,
    alike: () => Promise<readonly Other[]> = async () => [],
  ): Promise<Receipt | undefined> {
    const settled = sought.isOwn ? this.#settled(topic, sought.value) : undefined;
    if (settled !== undefined) return settled ?? undefined;
    const known = this.#known.get(nameOf(topic, sought.value));
    this.#known.delete(nameOf(topic, sought.value));
    // Nobody has tried it again since.
    if (known !== undefined && (known.found !== undefined || known.lastMs === sought.lastMs)) return known.found;
    const others = sought.isOwn ? [] : await alike();
    return new Promise((resolve, reject) => {
      const search = { ...sought, others, resolve, reject };
      const waiting = this.#waiting.get(topic);
      if (waiting !== undefined) {
        waiting.push(search);
        return;
      }
      this.#waiting.set(topic, [search]);
      // What the same turn asks for goes along.
      queueMicrotask(() => void this.#run(topic));
    });
  }

  async #run(topic: string): Promise<void> {
    for (;;) {
      const searches = this.#waiting.get(topic)?.splice(0, SEARCHES_MAX) ?? [];
      if (searches.length === 0) break;
      try {
        const isOwn = searches.every((search) => search.isOwn);
        const asked = new Set(searches.map(({ value }) => value));
        const alike = searches.flatMap(({ others }) => others).filter(({ value }) => !asked.has(value));
        const others = alike.slice(0, SEARCHES_MAX);
        const doubts = this.#unread(topic, SEARCHES_MAX - searches.length);
        const sought = [...searches, ...others, ...doubts];
        const sinceMs = Math.min(...sought.map((each) => each.sinceMs));
        const lastMs = Math.max(...[...searches, ...others].map((each) => each.lastMs ?? each.sinceMs));
        const found = await this.#log.find(topic, this.#property, sought, { sinceMs, lastMs, isOwn });
        for (const doubt of doubts) doubt.found = found.get(doubt.value) ?? null;
        for (const other of others) this.#know(topic, other, found.get(other.value));
        for (const { value, resolve } of searches) {
          this.#forget(topic, value);
          resolve(found.get(value));
        }
      } catch (error) {
        for (const { reject } of searches) reject(error);
      }
    }
    this.#waiting.delete(topic);
  }

  #know(topic: string, { value, lastMs }: Other, found: Receipt | undefined): void {
    putLast(this.#known, nameOf(topic, value), { lastMs, found }, DOUBTS_MAX);
  }

  /** What was read of an append in doubt, once; undefined: nothing was. */
  #settled(topic: string, value: string): Receipt | null | undefined {
    const found = this.#doubts.get(topic)?.get(value)?.found;
    if (found !== undefined) this.#forget(topic, value);
    return found;
  }

  #unread(topic: string, limit: number): Doubt[] {
    const unread: Doubt[] = [];
    for (const doubt of this.#doubts.get(topic)?.values() ?? []) {
      if (unread.length >= limit) break;
      if (doubt.found === undefined) unread.push(doubt);
    }
    return unread;
  }

  #forget(topic: string, value: string): void {
    const doubts = this.#doubts.get(topic);
    doubts?.delete(value);
    if (doubts?.size === 0) this.#doubts.delete(topic);
  }
}

function nameOf(topic: string, value: string): string {
  return `${topic}\n${value}`;
}

/** The one that was put first goes where there is one too many. */
function putLast<V>(map: Map<string, V>, key: string, value: V, max: number): void {
  map.delete(key);
  map.set(key, value);
  const [first] = map.keys();
  if (map.size > max && first !== undefined) map.delete(first);
}
