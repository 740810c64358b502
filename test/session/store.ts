import assert from 'node:assert/strict';
import type { ShardEffect } from '../../functions/fan-out/effects.js';
import { fromSnapshot, toSnapshot } from '../../functions/mqtt/snapshot.js';
import type { OutboundKey, OutboundRow, RetainedRow, SessionRow } from '../../functions/ports/store.js';
import type { SessionEffect } from '../../functions/session/effects.js';
import type { SessionInput } from '../../functions/session/inputs.js';
import { filterMatches } from '../../functions/topics/filter-match.js';

/** Who an effect is of. */
export interface Owner {
  clientId: string;
  generation: number;
}

type AnyEffect = SessionEffect | ShardEffect;
type Write = Extract<AnyEffect, { type: 'save-session' | 'store-outbound' | 'remove-outbound' | 'finish-outbound' }>;
type Read = Extract<AnyEffect, { type: 'read-outbound' | 'read-retained' }>;

const WRITES: readonly string[] = ['save-session', 'store-outbound', 'remove-outbound', 'finish-outbound'];
const READS: readonly string[] = ['read-outbound', 'read-retained'];

export interface Report {
  owner: Owner;
  effect: AnyEffect;
  input: SessionInput;
}

/**
 * The store as a machine knows it: effects go in, and the transcript says when one is done. Rows are kept as snapshots, so
 * that nothing that the machine changes afterwards gets into them.
 */
export class SessionStoreDouble {
  readonly sessions = new Map<string, SessionRow>();
  readonly retained: RetainedRow[] = [];
  /** By client and generation, then by key. */
  readonly #outbound = new Map<string, Map<string, OutboundRow>>();
  #writes: { owner: Owner; effect: Write }[] = [];
  #reads: { owner: Owner; effect: Read }[] = [];

  take({ clientId, generation }: Owner, effect: AnyEffect): void {
    const owner = { clientId, generation };
    const copy = fromSnapshot<AnyEffect>(toSnapshot(effect));
    if (WRITES.includes(effect.type)) this.#writes.push({ owner, effect: copy as Write });
    else if (READS.includes(effect.type)) this.#reads.push({ owner, effect: copy as Read });
    else if (effect.type === 'end-session') this.#forget(owner);
  }

  get hasWrites(): boolean {
    return this.#writes.length > 0;
  }

  /** The oldest write is durable, or the newest: a store may finish them in any order. */
  write(which: 'oldest' | 'newest' = 'oldest'): Report {
    const write = which === 'oldest' ? this.#writes.shift() : this.#writes.pop();
    const { owner, effect } = write ?? assert.fail('nothing is being written');
    const rows = this.#rowsOf(owner);
    switch (effect.type) {
      case 'save-session':
        this.sessions.set(owner.clientId, { ...effect.row, epoch: 1 });
        return { owner, effect, input: { type: 'session-saved' } };
      case 'store-outbound':
        for (const row of effect.rows) rows.set(keyOf(row), row);
        return { owner, effect, input: { type: 'outbound-stored', rows: effect.rows } };
      case 'remove-outbound':
        for (const key of effect.keys) rows.delete(keyOf(key));
        return { owner, effect, input: { type: 'outbound-removed' } };
      case 'finish-outbound':
        if ('passed' in effect && effect.passed) rows.delete(keyOf(effect.row));
        else rows.set(keyOf(effect.row), effect.row);
        return { owner, effect, input: { type: 'outbound-finished', packetId: effect.row.packetId } };
    }
  }

  /** The oldest read is answered. `limit`: a page shorter than was asked for. */
  read(limit = Number.POSITIVE_INFINITY): Report {
    const { owner, effect } = this.#reads.shift() ?? assert.fail('nothing is being read');
    const count = Math.min(limit, effect.limit);
    if (effect.type === 'read-outbound') {
      const after = effect.after && keyOf(effect.after);
      const rows = this.outbound(owner).filter((row) => after === null || keyOf(row) > after);
      const page = rows.slice(0, count);
      return { owner, effect, input: { type: 'outbound-read', rows: page, end: rows.length < effect.limit } };
    }
    const { filter, sequence, after } = effect.due;
    const matching = this.retained
      .filter((row) => filterMatches(filter, row.topic) && (after === null || row.topic > after))
      .sort((a, b) => (a.topic < b.topic ? -1 : 1));
    const rows = matching.slice(0, count);
    const next = matching.length > count ? (rows.at(-1)?.topic ?? null) : null;
    return { owner, effect, input: { type: 'retained-read', sequence, filter, rows, next } };
  }

  outbound(owner: Owner): OutboundRow[] {
    const rows = [...this.#rowsOf(owner).entries()].sort(([a], [b]) => (a < b ? -1 : 1));
    return fromSnapshot(toSnapshot(rows.map(([, row]) => row)));
  }

  remove(owner: Owner, key: OutboundKey): void {
    this.#rowsOf(owner).delete(keyOf(key));
  }

  /** The process dies: what was not durable never happens. */
  crash(): void {
    this.#writes = [];
    this.#reads = [];
  }

  #rowsOf({ clientId, generation }: Owner): Map<string, OutboundRow> {
    const name = `${clientId} ${generation}`;
    const rows = this.#outbound.get(name) ?? new Map();
    this.#outbound.set(name, rows);
    return rows;
  }

  #forget({ clientId, generation }: Owner): void {
    this.sessions.delete(clientId);
    this.#outbound.delete(`${clientId} ${generation}`);
  }
}

function keyOf({ source, position }: OutboundKey): string {
  return `${source} ${position}`;
}
