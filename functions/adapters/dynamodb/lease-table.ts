import { PortError } from '../../ports/errors.js';
import type { LeaseRow, LeaseStore } from '../../ports/leases.js';
import { type Item, keyOf, n, writeId } from './calls.js';
import { leaseKey, leaseList, META } from './keys.js';
import type { Shared } from './shared.js';

const PAGE_ROWS = 1_000;
/** Of their own: a lease of whatever version that nobody renews is for others to take away, and `agreed` says what else differs. */
const LEASES_VERSION: Item = { v: n(1) };

/** Versions come from the clock and the holder's beats: one that was deleted never comes again. */
export class LeaseTable implements LeaseStore {
  constructor(private readonly shared: Shared) {}

  async list(): Promise<{ row: LeaseRow; version: number }[]> {
    const { calls } = this.shared;
    const found: Item[] = [];
    for (let after: string | null = null; ; ) {
      const { items, more } = await calls.query(leaseList(), after, PAGE_ROWS);
      found.push(...items);
      if (!more) break;
      after = items.at(-1)!.sk!.S!;
    }
    return found.map((item) => ({ row: JSON.parse(item.row!.S!) as LeaseRow, version: Number(item.version!.N) }));
  }

  async put(row: LeaseRow, expected: number): Promise<number> {
    const { calls, now } = this.shared;
    const version = Math.max(expected + 1, now());
    const item = {
      ...keyOf(leaseKey(row.slot)),
      ...LEASES_VERSION,
      id: { S: writeId(now()) },
      version: n(version),
      row: { S: JSON.stringify(row) },
    };
    // "where the stored version is `expected` (0: where there is no row)"
    const answer = await calls.put(item, expected === 0 ? { expression: 'attribute_not_exists(pk)' } : isAt(expected));
    if (!answer.held) throw conflict(row.slot, expected);
    if (expected === 0) await this.#checkShards(row.slot, version);
    return version;
  }

  /** `--reshard` looks for leases once it has begun: whoever was between opening the table and this finds out here. */
  async #checkShards(slot: number, version: number): Promise<void> {
    const { calls, shards } = this.shared;
    const there = (await calls.get(META))?.shards?.N;
    if (there === String(shards)) return;
    await this.delete(slot, version);
    throw new PortError('refused', `${calls.table} does not have ${shards} shards any more: its rows are being moved`);
  }

  async delete(slot: number, expected: number): Promise<void> {
    // "where the version is `expected`"
    const answer = await this.shared.calls.delete(leaseKey(slot), isAt(expected));
    if (!answer.held) throw conflict(slot, expected);
  }
}

function isAt(version: number): { expression: string; values: { ':expected': { N: string } } } {
  return { expression: 'version = :expected', values: { ':expected': { N: String(version) } } };
}

function conflict(slot: number, expected: number): PortError {
  return new PortError('conflict', `lease ${slot} is not at version ${expected}`);
}
