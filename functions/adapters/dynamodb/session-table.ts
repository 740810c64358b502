import { PortError } from '../../ports/errors.js';
import type { SessionRow, SessionStore } from '../../ports/store.js';
import { n } from './calls.js';
import { clientKey, sessionKey, sessionList } from './keys.js';
import { rowsAfter } from './listing.js';
import type { Shared } from './shared.js';

/**
 * A session row is one item, or one that names the parts of a long one (`bodies.ts`): some 2,000 filters fit the item. It
 * changes as a whole when that item does.
 */
export class SessionTable implements SessionStore {
  constructor(private readonly shared: Shared) {}

  put(row: SessionRow): Promise<void> {
    const { calls, bodies, lines, shards } = this.shared;
    return lines.enter(row.clientId, async () => {
      const { epoch, generation } = row;
      const place = sessionKey(row.clientId, shards);
      const { item } = await bodies.item(place, row, { epoch: n(epoch), generation: n(generation) });
      // "unless the stored row has a higher epoch"
      const answer = await calls.put(item, {
        expression: 'attribute_not_exists(pk) OR epoch <= :epoch',
        values: { ':epoch': n(epoch) },
      });
      await bodies.tidy(place, answer.held ? item : undefined, answer.held ? answer.old : item);
      if (!answer.held) throw conflict(epoch);
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

  async list(shard: number, after: string | null, limit: number): Promise<SessionRow[]> {
    const { calls, bodies } = this.shared;
    const start = after === null ? null : clientKey(after);
    const rows = await rowsAfter<SessionRow>(calls, bodies, sessionList(shard), start, limit);
    return rows.map(({ row }) => row);
  }
}

function conflict(epoch: number): PortError {
  return new PortError('conflict', `the session row has a higher epoch than ${epoch}`);
}
