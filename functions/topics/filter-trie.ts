import { filterMatches, levelEnd } from './filter-match.js';

/** What the trie holds. Those that share a place in it form a list through `next`, which belongs to the trie. */
export interface TrieItem<T> {
  readonly filter: string;
  next: T | null;
}

/**
 * The children of one prefix, by the text of the next level; `+` and `#` are levels like any other. A child is a list
 * of at most `LIST_MAX` items, whatever follows in their filters, and becomes a node when it would grow beyond that:
 * so there are far fewer nodes than filters, and none for the levels that distinguish nothing.
 */
type Node<T> = Map<string, T | Node<T>>;

/** Stands for the next level where there is none; no level holds a separator, and an empty one is another thing. */
const END = '/';

/** How many filters are compared one by one rather than told apart by another level: some 30 ns each. */
const LIST_MAX = 8;

/** V8 copies shorter texts when it cuts them out of longer ones, and lets longer ones keep the whole alive. */
const COPIED_BELOW = 13;

/** Items by filter, found by the topics that the filters match. Each filter is there once. */
export class FilterTrie<T extends TrieItem<T>> {
  readonly #root: Node<T> = new Map();

  get(filter: string): T | undefined {
    let node = this.#root;
    for (let at = 0; ; ) {
      const end = levelEnd(filter, at);
      const child = node.get(levelText(filter, at, end));
      if (!isNode(child)) return findInList(child, filter);
      node = child;
      at = end + 1;
    }
  }

  /** The filter must not be there yet. */
  add(item: T): void {
    let node = this.#root;
    for (let at = 0; ; ) {
      const end = levelEnd(item.filter, at);
      const level = levelText(item.filter, at, end);
      const child = node.get(level);
      at = end + 1;
      if (isNode(child)) {
        node = child;
      } else if (child !== undefined && listLength(child) === LIST_MAX) {
        const split = splitList(child, at);
        node.set(level, split);
        node = split;
      } else {
        prepend(node, level, item);
        return;
      }
    }
  }

  /** The filter must be there. Leaves no node behind that is empty or has nothing to tell apart. */
  remove(filter: string): void {
    const path: { node: Node<T>; level: string }[] = [];
    let node = this.#root;
    for (let at = 0; ; ) {
      const end = levelEnd(filter, at);
      const level = levelText(filter, at, end);
      path.push({ node, level });
      const child = node.get(level)!;
      if (!isNode(child)) {
        replace(node, level, withoutItem(child, filter));
        break;
      }
      node = child;
      at = end + 1;
    }
    for (let i = path.length - 2; i >= 0; i -= 1) {
      const { node: parent, level } = path[i]!;
      const child = path[i + 1]!.node;
      if (child.size > 1) return;
      const only = child.values().next().value;
      if (isNode(only)) return;
      replace(parent, level, only ?? null);
    }
  }

  /** Visits each item whose filter matches `topic`, once. The nodes only narrow down: `filterMatches` has the last word. */
  match(topic: string, visit: (item: T) => void): void {
    const nodes = [this.#root];
    const starts = [0];
    while (nodes.length > 0) {
      const node = nodes.pop()!;
      const start = starts.pop()!;
      const end = levelEnd(topic, start);
      enter(node.get(levelText(topic, start, end)), end + 1);
      if (start <= topic.length) enter(node.get('+'), end + 1);
      enter(node.get('#'), end + 1);
    }

    function enter(child: T | Node<T> | undefined, start: number): void {
      if (isNode(child)) {
        nodes.push(child);
        starts.push(start);
        return;
      }
      for (let item = child ?? null; item !== null; item = item.next)
        if (filterMatches(item.filter, topic)) visit(item);
    }
  }

  /** Every filter, in no particular order. */
  filters(): string[] {
    const filters: string[] = [];
    const nodes = [this.#root];
    for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
      for (const child of node.values()) {
        if (isNode(child)) nodes.push(child);
        else for (let item: T | null = child; item !== null; item = item.next) filters.push(item.filter);
      }
    }
    return filters;
  }
}

/** The level at `start`, or `END` where `start` is beyond the text: its last level is then behind. */
function levelText(text: string, start: number, end: number): string {
  return start > text.length ? END : text.slice(start, end);
}

function isNode<T>(child: T | Node<T> | undefined): child is Node<T> {
  return child instanceof Map;
}

function findInList<T extends TrieItem<T>>(list: T | undefined, filter: string): T | undefined {
  let item = list;
  while (item !== undefined && item.filter !== filter) item = item.next ?? undefined;
  return item;
}

function listLength<T extends TrieItem<T>>(list: T): number {
  let length = 0;
  for (let item: T | null = list; item !== null; item = item.next) length += 1;
  return length;
}

function prepend<T extends TrieItem<T>>(node: Node<T>, level: string, item: T): void {
  const list = node.get(level) as T | undefined;
  item.next = list ?? null;
  node.set(list === undefined ? ownText(level) : level, item);
}

function withoutItem<T extends TrieItem<T>>(list: T, filter: string): T | null {
  if (list.filter === filter) return list.next;
  for (let item = list; item.next !== null; item = item.next) {
    if (item.next.filter !== filter) continue;
    item.next = item.next.next;
    break;
  }
  return list;
}

/** Tells the items of a list apart by the level that begins at `start` of their filters. */
function splitList<T extends TrieItem<T>>(list: T, start: number): Node<T> {
  const node: Node<T> = new Map();
  for (let item: T | null = list; item !== null; ) {
    const next: T | null = item.next;
    prepend(node, levelText(item.filter, start, levelEnd(item.filter, start)), item);
    item = next;
  }
  return node;
}

function replace<T>(node: Node<T>, level: string, child: T | null): void {
  if (child === null) node.delete(level);
  else node.set(level, child);
}

/** A text that keeps no other alive: the filter that a level was first seen in may go before the level does. */
function ownText(level: string): string {
  return level.length < COPIED_BELOW ? level : structuredClone(level);
}
