import { BatchWriteItemCommand, type DynamoDBClient, type WriteRequest } from '@aws-sdk/client-dynamodb';
import { type Calls, type Item, keyOf, Leftovers } from './calls.js';
import type { Place } from './keys.js';

/** DynamoDB's own limits are 25 and 16 MB. */
const BATCH_MAX_WRITES = 25;
const BATCH_MAX_BYTES = 8_000_000;

export interface Write {
  place: Place;
  /** null: delete. */
  item: Item | null;
  /** Of the item, about. */
  bytes: number;
  /** Writes of one turn of the event loop with the same name go in one batch, where they fit one. */
  group?: string | undefined;
}

interface Waiting extends Write {
  done: (error?: unknown) => void;
}

interface Batch {
  writes: Waiting[];
  bytes: number;
}

/**
 * Unconditional writes of many callers, those of one turn of the event loop packed into batches. Batches are written in no order, so
 * callers see to it that a key is not written in two turns at a time.
 */
export class BatchWriter {
  /** By group. */
  #waiting = new Map<string, Waiting[]>();

  constructor(
    private readonly client: DynamoDBClient,
    private readonly calls: Calls,
  ) {}

  /** Resolves when all are written. After a rejection any of them may be. */
  async write(writes: readonly Write[]): Promise<void> {
    await Promise.all(writes.map((write) => this.#enter(write)));
  }

  remove(places: readonly Place[]): Promise<void> {
    return this.write(places.map((place) => ({ place, item: null, bytes: 0 })));
  }

  #enter(write: Write): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.size === 0) setImmediate(() => this.#flush());
      const done = (error?: unknown): void => (error === undefined ? resolve() : reject(error));
      const { pk, sk } = write.place;
      const group = write.group ?? `${pk}\n${sk}`;
      const waiting = this.#waiting.get(group) ?? [];
      this.#waiting.set(group, waiting);
      const same = waiting.findIndex(({ place }) => place.pk === pk && place.sk === sk);
      if (same < 0) return void waiting.push({ ...write, done });
      // A batch may hold a key once. Both asked before either was written, so the later one is what is left.
      const { done: doneBefore } = waiting[same] as Waiting;
      waiting[same] = {
        ...write,
        done: (error) => {
          doneBefore(error);
          done(error);
        },
      };
    });
  }

  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = new Map();
    let open: Batch = { writes: [], bytes: 0 };
    for (const writes of waiting.values()) {
      const all = { writes, bytes: writes.reduce((sum, { bytes }) => sum + bytes, 0) };
      const parts = fits(all) ? [all] : writes.map((write) => ({ writes: [write], bytes: write.bytes }));
      for (const part of parts) {
        const joined = { writes: [...open.writes, ...part.writes], bytes: open.bytes + part.bytes };
        if (!fits(joined) && open.writes.length > 0) void this.#settle(open.writes);
        open = fits(joined) ? joined : part;
      }
    }
    if (open.writes.length > 0) void this.#settle(open.writes);
  }

  async #settle(batch: readonly Waiting[]): Promise<void> {
    let left = new Map(batch.map((write) => [`${write.place.pk}\n${write.place.sk}`, write]));
    try {
      const leftovers = new Leftovers(this.calls);
      for (;;) {
        const before = left.size;
        left = await this.#send(left);
        if (left.size === 0) return;
        await leftovers.wait(left.size < before);
      }
    } catch (error) {
      for (const { done } of left.values()) done(error);
    }
  }

  async #send(writes: ReadonlyMap<string, Waiting>): Promise<Map<string, Waiting>> {
    const requests = [...writes.values()].map(({ place, item }) =>
      item ? { PutRequest: { Item: item } } : { DeleteRequest: { Key: keyOf(place) } },
    );
    const command = new BatchWriteItemCommand({ RequestItems: { [this.calls.table]: requests } });
    const { UnprocessedItems: unprocessed } = await this.calls.send(() => this.client.send(command));
    const left = new Set((unprocessed?.[this.calls.table] ?? []).map(keyIn));
    for (const [key, { done }] of writes) if (!left.has(key)) done();
    return new Map([...writes].filter(([key]) => left.has(key)));
  }
}

function fits({ writes, bytes }: Batch): boolean {
  return writes.length <= BATCH_MAX_WRITES && bytes <= BATCH_MAX_BYTES;
}

function keyIn({ PutRequest: put, DeleteRequest: remove }: WriteRequest): string {
  const key = put?.Item ?? remove?.Key;
  return `${key?.pk?.S}\n${key?.sk?.S}`;
}
