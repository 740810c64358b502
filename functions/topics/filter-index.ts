import { FilterTrie } from './filter-trie.js';
import { hasWildcard } from './names.js';

/**
 * Who subscribed to what, found by topic. Filters are well-formed (`names.ts`); of a shared subscription they are what
 * follows the share name. Filters without wildcards, the usual ones, are one look-up whatever their number.
 * Subscribers are compared by identity.
 */
export class FilterIndex<S, V> {
  readonly #exact = new Map<string, Subscribed<S, V>>();
  readonly #wild = new FilterTrie<Subscribed<S, V>>();
  #wildCount = 0;
  #size = 0;

  /** Pairs of filter and subscriber. */
  get size(): number {
    return this.#size;
  }

  /** Distinct filters. */
  get filters(): number {
    return this.#exact.size + this.#wildCount;
  }

  /** Adds, or replaces the value; true where the subscriber did not have the filter yet. */
  set(filter: string, subscriber: S, value: V): boolean {
    const subscribed = this.#find(filter);
    if (subscribed === undefined) this.#add(new Subscribed(filter, subscriber, value));
    else if (!subscribed.set(subscriber, value)) return false;
    this.#size += 1;
    return true;
  }

  /** False where the subscriber does not have the filter. */
  delete(filter: string, subscriber: S): boolean {
    const subscribed = this.#find(filter);
    if (subscribed === undefined) return false;
    if (subscribed.isOnly(subscriber)) this.#remove(filter);
    else if (!subscribed.delete(subscriber)) return false;
    this.#size -= 1;
    return true;
  }

  /**
   * Visits every subscriber of every filter that matches `topic`, in no particular order: a subscriber once per filter.
   * The index must not be changed meanwhile.
   */
  match(topic: string, visit: (subscriber: S, value: V, filter: string) => void): void {
    this.#exact.get(topic)?.visit(visit);
    if (this.#wildCount > 0) this.#wild.match(topic, (subscribed) => subscribed.visit(visit));
  }

  /** Whether anybody's filter matches `topic`. */
  has(topic: string): boolean {
    let isThere = this.#exact.has(topic);
    if (!isThere && this.#wildCount > 0) {
      this.#wild.match(topic, () => {
        isThere = true;
      });
    }
    return isThere;
  }

  /** Distinct filters, each once, as they are now. */
  all(): string[] {
    return [...this.#exact.keys(), ...this.#wild.filters()];
  }

  #find(filter: string): Subscribed<S, V> | undefined {
    return hasWildcard(filter) ? this.#wild.get(filter) : this.#exact.get(filter);
  }

  #add(subscribed: Subscribed<S, V>): void {
    if (hasWildcard(subscribed.filter)) {
      this.#wild.add(subscribed);
      this.#wildCount += 1;
    } else {
      this.#exact.set(subscribed.filter, subscribed);
    }
  }

  #remove(filter: string): void {
    if (hasWildcard(filter)) {
      this.#wild.remove(filter);
      this.#wildCount -= 1;
    } else {
      this.#exact.delete(filter);
    }
  }
}

/** The subscribers of one filter. Most filters have one, who stands in the object itself. */
class Subscribed<S, V> {
  readonly filter: string;
  next: Subscribed<S, V> | null = null;
  #first: S;
  #firstValue: V;
  #others: Map<S, V> | null = null;

  constructor(filter: string, subscriber: S, value: V) {
    this.filter = filter;
    this.#first = subscriber;
    this.#firstValue = value;
  }

  set(subscriber: S, value: V): boolean {
    if (subscriber === this.#first) {
      this.#firstValue = value;
      return false;
    }
    this.#others ??= new Map();
    const isNew = !this.#others.has(subscriber);
    this.#others.set(subscriber, value);
    return isNew;
  }

  isOnly(subscriber: S): boolean {
    return subscriber === this.#first && this.#others === null;
  }

  /** Not for the only one. */
  delete(subscriber: S): boolean {
    if (this.#others === null) return false;
    if (subscriber === this.#first) {
      const [another, value] = this.#others.entries().next().value!;
      this.#first = another;
      this.#firstValue = value;
      this.#others.delete(another);
    } else if (!this.#others.delete(subscriber)) {
      return false;
    }
    if (this.#others.size === 0) this.#others = null;
    return true;
  }

  visit(visit: (subscriber: S, value: V, filter: string) => void): void {
    visit(this.#first, this.#firstValue, this.filter);
    if (this.#others === null) return;
    for (const [subscriber, value] of this.#others) visit(subscriber, value, this.filter);
  }
}
