/** Rows by key, read in order of the keys' UTF-8 bytes; every change returns what undoes it. */
export class Table<T> {
  readonly #rows = new Map<string, T>();
  /** In order; null: to be sorted when next asked for. */
  #keys: string[] | null = null;

  get size(): number {
    return this.#rows.size;
  }

  get(key: string): T | undefined {
    return this.#rows.get(key);
  }

  keys(): readonly string[] {
    this.#keys ??= [...this.#rows.keys()].sort(inUtf8Order);
    return this.#keys;
  }

  all(isWanted: (row: T) => boolean): T[] {
    return [...this.#rows.values()].filter(isWanted);
  }

  /** Rows after a key. */
  page(after: string | null, limit: number, isWanted: (row: T) => boolean = () => true): T[] {
    const keys = this.keys();
    const rows: T[] = [];
    for (let at = after === null ? 0 : countUpTo(keys, after); at < keys.length && rows.length < limit; at += 1) {
      const row = this.#rows.get(keys[at] as string) as T;
      if (isWanted(row)) rows.push(row);
    }
    return rows;
  }

  set(key: string, row: T): () => void {
    const was = this.#rows.get(key);
    if (was === undefined) this.#keys = null;
    this.#rows.set(key, row);
    return () => this.#put(key, was);
  }

  delete(key: string): () => void {
    const was = this.#rows.get(key);
    this.#put(key, undefined);
    return () => this.#put(key, was);
  }

  deleteWhere(isGone: (row: T) => boolean): () => void {
    const gone = [...this.#rows].filter(([, row]) => isGone(row));
    for (const [key] of gone) this.#put(key, undefined);
    return () => {
      for (const [key, row] of gone) this.#put(key, row);
    };
  }

  #put(key: string, row: T | undefined): void {
    this.#keys = null;
    if (row === undefined) this.#rows.delete(key);
    else this.#rows.set(key, row);
  }
}

/** Where UTF-16 and UTF-8 differ: surrogates stand for what is above all else. */
export function inUtf8Order(a: string, b: string): number {
  let at = 0;
  while (at < a.length && a.charCodeAt(at) === b.charCodeAt(at)) at += 1;
  if (at >= a.length || at >= b.length) return a.length - b.length;
  return rank(a.charCodeAt(at)) - rank(b.charCodeAt(at));
}

function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

function countUpTo(keys: readonly string[], after: string): number {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (inUtf8Order(keys[middle] as string, after) > 0) high = middle;
    else low = middle + 1;
  }
  return low;
}
