import type { RetainedRow, RetainedStore } from '../../ports/store.js';
import { filterMatches } from '../../topics/filter-match.js';
import { INLINE_MAX_BYTES, partsNamed } from './bodies.js';
import { type Item, n } from './calls.js';
import { topicLine } from './client-lines.js';
import { type Range, retainedKey, retainedUnder, TTL_ATTRIBUTE } from './keys.js';
import { ROWS_MAX } from './listing.js';
import { compareTexts, literalPrefix, seekAfter } from './seek.js';
import type { Shared } from './shared.js';

/** How long a cleared topic is remembered at least, against late older writes. Longer than any append can be in doubt. */
export const TOMBSTONE_KEPT_S = 3_600;
/** Read from each bucket beyond its share of the limit, since the buckets do not hold as many each. */
const SHARE_EXTRA_ROWS = 8;
/** Of parts that one `match` reads, about; then it answers with what it has. */
const MATCH_MAX_BYTES = 16 * 1024 * 1024;

interface Page {
  items: Item[];
  more: boolean;
}

/** The newest row of a topic that waits for its turn, and what comes of it. */
interface Waiting {
  row: RetainedRow;
  written: Promise<{ row: RetainedRow; held: boolean }>;
}

/** A topic has a line of its own in which only the newest row waits, so that a busy topic's does not grow. */
export class RetainedTable implements RetainedStore {
  readonly #waiting = new Map<string, Waiting>();

  constructor(private readonly shared: Shared) {}

  async put(row: RetainedRow): Promise<boolean> {
    const waiting = this.#waiting.get(row.topic) ?? this.#enter(row);
    if (isNewer(row, waiting.row)) waiting.row = row;
    const { row: last, held } = await waiting.written;
    return held && last === row;
  }

  async match(
    filter: string,
    after: string | null,
    limit: number,
  ): Promise<{ rows: RetainedRow[]; next: string | null }> {
    const prefix = literalPrefix(filter);
    if (prefix === filter) return { rows: after === null ? await this.#exactly(filter) : [], next: null };
    const start = after === null ? null : seekAfter(filter, after, retainedKey(after).sk);
    if (start === undefined) return { rows: [], next: null };
    const ranges = retainedUnder(prefix);
    const share = Math.min(ROWS_MAX, Math.ceil(limit / ranges.length) + SHARE_EXTRA_ROWS);
    const pages = await Promise.all(ranges.map((range) => this.#page(range, start, share)));
    return this.#merge(filter, pages, limit);
  }

  #enter(row: RetainedRow): Waiting {
    const waiting = { row } as Waiting;
    waiting.written = this.shared.lines.enter(topicLine(row.topic), async () => {
      this.#waiting.delete(row.topic);
      return { row: waiting.row, held: await this.#write(waiting.row) };
    });
    this.#waiting.set(row.topic, waiting);
    // Refused before its turn came, it must not stand in the way of the next one.
    waiting.written.catch(() => this.#waiting.get(row.topic) === waiting && this.#waiting.delete(row.topic));
    return waiting;
  }

  async #write(row: RetainedRow): Promise<boolean> {
    const { calls, bodies, now } = this.shared;
    const place = retainedKey(row.topic);
    const expiry = { [TTL_ATTRIBUTE]: n(Math.ceil(now() / 1_000) + TOMBSTONE_KEPT_S) };
    const { item } = await bodies.item(place, row, {
      layout: n(row.layout),
      position: { S: row.position },
      ...(place.sk === row.topic ? {} : { topic: { S: row.topic } }),
      ...(row.publication === null ? expiry : {}),
    });
    // "unless what is there is as new or newer": "first by `layout`, then by `position` as text"
    const answer = await calls.put(item, {
      expression: 'attribute_not_exists(pk) OR layout < :layout OR (layout = :layout AND #position < :position)',
      names: { '#position': 'position' },
      values: { ':layout': n(row.layout), ':position': { S: row.position } },
    });
    await bodies.tidy(place, answer.held ? item : undefined, answer.held ? answer.old : item);
    return answer.held;
  }

  async #exactly(topic: string): Promise<RetainedRow[]> {
    const { calls, bodies } = this.shared;
    const item = await calls.get(retainedKey(topic));
    const read = item && (await bodies.read<RetainedRow>(item));
    return read && !isTombstone(read.item) ? [read.row] : [];
  }

  async #page(range: Range, start: string | null, limit: number): Promise<Page> {
    // DynamoDB takes only starts within the range.
    const isWithin = start?.startsWith(range.prefix ?? '') === true;
    if (start !== null && !isWithin && compareTexts(start, range.prefix ?? '') > 0) return { items: [], more: false };
    return this.shared.calls.query(range, isWithin ? start : null, limit);
  }

  /** Pages of the buckets as one, up to the least topic behind which a bucket may hold more. */
  async #merge(
    filter: string,
    pages: readonly Page[],
    limit: number,
  ): Promise<{ rows: RetainedRow[]; next: string | null }> {
    const ends = pages.filter(({ more }) => more).map(({ items }) => items.at(-1)!.sk!.S!);
    const end = ends.sort(compareTexts)[0];
    const items = pages
      .flatMap((page) => page.items)
      .filter(({ sk }) => end === undefined || compareTexts(sk!.S!, end) <= 0)
      .sort((a, b) => compareTexts(a.sk!.S!, b.sk!.S!));
    const rows: RetainedRow[] = [];
    let last: string | null = null;
    let bytes = 0;
    for (const item of items) {
      if (rows.length >= limit || (rows.length > 0 && bytes > MATCH_MAX_BYTES)) return { rows, next: last };
      last = topicOf(item);
      if (isTombstone(item) || !filterMatches(filter, last)) continue;
      const read = await this.shared.bodies.read<RetainedRow>(item);
      if (read && !isTombstone(read.item)) rows.push(read.row);
      bytes += (partsNamed(item)?.count ?? 0) * INLINE_MAX_BYTES;
    }
    return { rows, next: end === undefined ? null : last };
  }
}

function topicOf({ sk, topic }: Item): string {
  return topic?.S ?? sk!.S!;
}

function isTombstone(item: Item): boolean {
  return item[TTL_ATTRIBUTE] !== undefined;
}

function isNewer(row: RetainedRow, than: RetainedRow): boolean {
  return row.layout !== than.layout ? row.layout > than.layout : row.position > than.position;
}
