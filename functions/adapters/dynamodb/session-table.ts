import { PortError } from '../../ports/errors.js';
import { emptySession, type SessionRow, type SessionStore } from '../../ports/store.js';
import { n } from './calls.js';
import { clientKey, sessionKey, sessionLists } from './keys.js';
import { rowsAfter } from './listing.js';
import type { Shared } from './shared.js';

type Attribute = ReturnType<typeof n>;

/** "`conflict` where the stored row has a higher epoch" */
const AT_MOST = 'epoch <= :limit';
/** The order of writes begins at the clock, so that a process that keeps its epoch over a restart goes on behind what it wrote. */
const WRITES_PER_MS = 1_000;

/**
 * A session row is one item, or one that names the parts of a long one (`bodies.ts`): some 2,000 filters fit the item. It
 * changes as a whole when that item does.
 */
export class SessionTable implements SessionStore {
  /** Of the last write. */
  #order = 0;

  constructor(private readonly shared: Shared) {}

  /**
   * An epoch is one process's, so that its own order of writes tells which is later: one that was given up, and that DynamoDB
   * takes in only after the next, finds its condition false.
   */
  put(row: SessionRow): Promise<void> {
    const { calls, bodies, lines, shards } = this.shared;
    return lines.enter(row.clientId, async () => {
      const { epoch } = row;
      const place = sessionKey(row.clientId, shards);
      const attributes = this.#attributes(row);
      const { order } = attributes;
      const { item } = await bodies.item(place, row, attributes);
      // "unless the stored row has a higher epoch"
      const answer = await calls.put(item, {
        expression: 'attribute_not_exists(pk) OR epoch < :epoch OR (epoch = :epoch AND #order < :order)',
        names: { '#order': 'order' },
        values: { ':epoch': n(epoch), ':order': order },
      });
      await bodies.tidy(place, answer.held ? item : undefined, answer.held ? answer.old : item);
      if (!answer.held) throw conflict(epoch);
    });
  }

  take(clientId: string, generation: number, epoch: number): Promise<SessionRow> {
    const { calls, bodies, lines, shards } = this.shared;
    return lines.enter(clientId, async () => {
      const place = sessionKey(clientId, shards);
      for (;;) {
        const stamped = await calls.stamp(place, { epoch: n(epoch), order: n(this.#nextOrder()) }, AT_MOST, {
          ':limit': n(epoch),
        });
        const read = stamped.held ? await bodies.read<SessionRow>(stamped.item) : undefined;
        if (read !== undefined) return { ...read.row, epoch };
        if (!stamped.held && stamped.there !== undefined) throw conflict(epoch);
        const row = emptySession(clientId, generation, epoch);
        const { item } = await bodies.item(place, row, { ...this.#attributes(row) });
        // "where there is none"
        if ((await calls.put(item, { expression: 'attribute_not_exists(pk)' })).held) return row;
      }
    });
  }

  delete(clientId: string, generation: number, epoch: number): Promise<void> {
    const { calls, bodies, lines, shards } = this.shared;
    return lines.enter(clientId, async () => {
      const place = sessionKey(clientId, shards);
      // "a row of that generation or an older one"; "`conflict` where the stored row has a higher epoch"
      const answer = await calls.delete(place, {
        expression: 'attribute_not_exists(pk) OR (generation <= :generation AND epoch <= :epoch)',
        values: { ':generation': n(generation), ':epoch': n(epoch) },
      });
      if (answer.held) return bodies.tidy(place, undefined, answer.old);
      // "leaves a newer", whoever wrote it
      const isNewer = Number(answer.there?.generation?.N) > generation;
      if (!isNewer) throw conflict(epoch);
    });
  }

  #attributes({ epoch, generation }: SessionRow): { epoch: Attribute; generation: Attribute; order: Attribute } {
    return { epoch: n(epoch), generation: n(generation), order: n(this.#nextOrder()) };
  }

  #nextOrder(): number {
    this.#order = Math.max(this.#order + 1, this.shared.now() * WRITES_PER_MS);
    return this.#order;
  }

  async list(shard: number, after: string | null, limit: number): Promise<SessionRow[]> {
    const { calls, bodies } = this.shared;
    const start = after === null ? null : clientKey(after);
    const rows = await rowsAfter<SessionRow>(calls, bodies, sessionLists(shard), start, limit);
    return rows.map(({ row }) => row);
  }
}

function conflict(epoch: number): PortError {
  return new PortError('conflict', `the session row has a higher epoch than ${epoch}`);
}
