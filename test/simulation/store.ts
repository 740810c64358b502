import { PortError } from '../../functions/ports/errors.js';
import {
  type CheckpointRow,
  emptySession,
  type InboundRow,
  type InboundStore,
  type OutboundKey,
  type OutboundRow,
  type OutboundStore,
  type PresenceRow,
  type PresenceStore,
  type RetainedRow,
  type RetainedStore,
  retriedInbound,
  type SessionRow,
  type SessionStore,
  type ShardStore,
  type Store,
} from '../../functions/ports/store.js';
import { filterMatches } from '../../functions/topics/filter-match.js';
import { shardOf } from '../../functions/topics/shard.js';
import type { Change, Storage } from './disk.js';
import { inUtf8Order, Table } from './table.js';

interface Claim {
  epoch: number;
  checkpoints: Map<string, CheckpointRow>;
}

type Of<T> = T & { clientId: string; generation: number };

/** What outlives a crash. */
export class StoreData {
  readonly presence = new Table<{ row: PresenceRow; version: number }>();
  readonly sessions = new Table<SessionRow>();
  readonly inbound = new Table<Of<{ row: InboundRow }>>();
  readonly outbound = new Table<Of<{ row: OutboundRow }>>();
  readonly retained = new Table<RetainedRow>();
  readonly shards = new Table<Claim>();
  /** Never given twice. */
  version = 0;
}

/** The store as one process has it open. Of one shard, that has every client, whatever number it goes by. */
export class SimulatedStore implements Store {
  readonly #disk: Storage;
  readonly #shards: number;
  readonly #data: StoreData;
  #closed = false;

  constructor(disk: Storage, data: StoreData, shards = 1) {
    this.#disk = disk;
    this.#shards = shards;
    this.#data = data;
  }

  readonly presence: PresenceStore = {
    get: (clientId) => this.#read(`presence ${clientId}`, () => this.#data.presence.get(clientId)),
    put: (row, expected) => {
      const { clientId } = row;
      const stored = structuredClone(row);
      return this.#write(`presence ${clientId}`, `presence ${clientId} ${row.connectionNumber}`, () => {
        this.#checkVersion(clientId, expected);
        this.#data.version += 1;
        const { version } = this.#data;
        return { value: version, undo: this.#data.presence.set(clientId, { row: stored, version }) };
      });
    },
    delete: (clientId, expected) =>
      this.#write(`presence ${clientId}`, `no presence ${clientId}`, () => {
        this.#checkVersion(clientId, expected);
        return { value: undefined, undo: this.#data.presence.delete(clientId) };
      }),
    list: (shard, after, limit) =>
      this.#read('presence', () => this.#data.presence.page(after, limit, ({ row }) => this.#isOf(shard, row))),
  };

  readonly sessions: SessionStore = {
    put: (row) => {
      const stored = structuredClone(row);
      return this.#write(row.clientId, `session ${row.clientId}`, () => {
        this.#checkEpoch(row.clientId, row.epoch);
        return { value: undefined, undo: this.#data.sessions.set(row.clientId, stored) };
      });
    },
    take: (clientId, generation, epoch) =>
      this.#write(clientId, `taken session ${clientId}`, () => {
        this.#checkEpoch(clientId, epoch);
        const there = this.#data.sessions.get(clientId) ?? emptySession(clientId, generation, epoch);
        const row = { ...there, epoch };
        return { value: structuredClone(row), undo: this.#data.sessions.set(clientId, row) };
      }),
    delete: (clientId, generation, epoch) =>
      this.#write(clientId, `no session ${clientId}`, () => {
        this.#checkEpoch(clientId, epoch);
        const there = this.#data.sessions.get(clientId);
        if (there === undefined || there.generation > generation) return { value: undefined };
        return { value: undefined, undo: this.#data.sessions.delete(clientId) };
      }),
    list: (shard, after, limit) =>
      this.#read('session', () => this.#data.sessions.page(after, limit, (row) => this.#isOf(shard, row))),
  };

  readonly inbound: InboundStore = {
    begin: (clientId, generation, packetId, row) => {
      const key = `${clientId}\0${generation}\0${packetId}`;
      return this.#write(clientId, `inbound ${clientId} ${packetId}`, () => {
        const there = this.#data.inbound.get(key);
        const stored = { clientId, generation, row: there ? retriedInbound(there.row, row) : { ...row } };
        if (there !== undefined) return { value: there.row, undo: this.#data.inbound.set(key, stored) };
        return { value: undefined, undo: this.#data.inbound.set(key, stored) };
      });
    },
    end: (clientId, generation, packetId) => {
      const key = `${clientId}\0${generation}\0${packetId}`;
      const asked = this.#data.inbound.get(key)?.row.token;
      return this.#write(clientId, `no inbound ${clientId} ${packetId}`, () => {
        const there = this.#data.inbound.get(key)?.row.token;
        const existed = there !== undefined;
        // Of what this process has begun itself the write may still be under way.
        if (asked !== undefined && there !== asked) return { value: false };
        return { value: existed, undo: this.#data.inbound.delete(key) };
      });
    },
    open: (clientId, generation) =>
      this.#read(clientId, () =>
        this.#data.inbound
          .all((each) => each.clientId === clientId && each.generation === generation)
          .map(({ row }) => structuredClone(row)),
      ),
    forget: (clientId, generation, packetId, { token }) => {
      const key = `${clientId}\0${generation}\0${packetId}`;
      return this.#write(clientId, `forgotten inbound ${clientId} ${packetId}`, () => {
        const there = this.#data.inbound.get(key)?.row;
        const isOurs = there?.token === token && there.retriedAtMs === undefined;
        return { value: undefined, ...(isOurs && { undo: this.#data.inbound.delete(key) }) };
      });
    },
    clear: (clientId, generation) => this.#clear(this.#data.inbound, 'inbound', clientId, generation),
  };

  readonly outbound: OutboundStore = {
    put: (clientId, generation, rows) => {
      const stored = structuredClone(rows) as OutboundRow[];
      const keys = stored.map(({ source, position }) => `${source}/${position}`).join();
      return this.#write(clientId, `outbound ${clientId} ${keys} ${stored[0]?.state}`, () => {
        const undos = stored.map((row) =>
          this.#data.outbound.set(outboundKey(clientId, generation, row), { clientId, generation, row }),
        );
        return { value: undefined, undo: () => undoAll(undos) };
      });
    },
    remove: (clientId, generation, keys) => {
      const names = keys.map(({ source, position }) => `${source}/${position}`).join();
      const gone = keys.map((key) => outboundKey(clientId, generation, key));
      return this.#write(clientId, `no outbound ${clientId} ${names}`, () => {
        const undos = gone.map((key) => this.#data.outbound.delete(key));
        return { value: undefined, undo: () => undoAll(undos) };
      });
    },
    read: (clientId, generation, after, limit) =>
      this.#read(`outbound ${clientId}`, () => {
        const from = after && outboundKey(clientId, generation, after);
        return this.#data.outbound
          .all(({ clientId: id, generation: of }) => id === clientId && of === generation)
          .map(({ row }) => row)
          .sort((a, b) => inUtf8Order(outboundKey('', 0, a), outboundKey('', 0, b)))
          .filter((row) => from === null || inUtf8Order(outboundKey(clientId, generation, row), from) > 0)
          .slice(0, limit);
      }),
    generations: (clientId, generation) =>
      this.#read(`outbound ${clientId}`, () => {
        const rows = this.#data.outbound.all(({ clientId: id, generation: of }) => id === clientId && of <= generation);
        return [...new Set(rows.map((row) => row.generation))].sort((a, b) => a - b);
      }),
    clear: (clientId, generation) => this.#clear(this.#data.outbound, 'outbound', clientId, generation),
  };

  readonly retained: RetainedStore = {
    put: (row) => {
      const stored = structuredClone(row);
      return this.#write(`retained ${row.topic}`, `retained ${row.topic} ${row.position}`, () => {
        const there = this.#data.retained.get(row.topic);
        if (there !== undefined && !isNewer(row, there)) return { value: false };
        return { value: true, undo: this.#data.retained.set(row.topic, stored) };
      });
    },
    match: (filter, after, limit) =>
      this.#read('retained', () => {
        const seen = this.#data.retained.page(after, limit);
        const rows = seen.filter(({ topic, publication }) => publication !== null && filterMatches(filter, topic));
        return { rows, next: seen.length < limit ? null : (seen.at(-1)?.topic ?? null) };
      }),
  };

  readonly shards: ShardStore = {
    claim: (shard, owner) =>
      this.#write(`shard ${shard}`, `claim of ${shard} for ${owner}`, () => {
        const there = this.#data.shards.get(`${shard}`);
        const claim = { epoch: (there?.epoch ?? 0) + 1, checkpoints: new Map(there?.checkpoints) };
        return { value: claim.epoch, undo: this.#data.shards.set(`${shard}`, claim) };
      }),
    checkpoints: (shard) =>
      this.#read(`shard ${shard}`, () => [...(this.#data.shards.get(`${shard}`)?.checkpoints.values() ?? [])]),
    saveCheckpoints: (shard, epoch, rows) => {
      const stored = structuredClone(rows) as CheckpointRow[];
      const lows = stored.map(({ partition, low }) => `${partition}/${low}`).join();
      return this.#write(`shard ${shard}`, `checkpoint of ${shard}: ${lows}`, () => {
        const there = this.#data.shards.get(`${shard}`);
        if (there?.epoch !== epoch) throw new PortError('conflict', 'the shard has another epoch');
        const checkpoints = new Map(there.checkpoints);
        for (const row of stored) {
          if (row.low === null && row.done.length === 0) checkpoints.delete(row.partition);
          else checkpoints.set(row.partition, row);
        }
        return { value: undefined, undo: this.#data.shards.set(`${shard}`, { epoch, checkpoints }) };
      });
    },
  };

  check(): Promise<void> {
    return this.#read('check', () => {});
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#disk.idle();
  }

  #write<T>(lane: string, what: string, make: () => Change<T>): Promise<T> {
    if (this.#closed) return Promise.reject(closed());
    return this.#disk.write(lane, what, make);
  }

  #read<T>(lane: string, look: () => T): Promise<T> {
    if (this.#closed) return Promise.reject(closed());
    return this.#disk.read(lane, () => structuredClone(look()));
  }

  #clear(table: Table<Of<object>>, what: string, clientId: string, generation: number): Promise<void> {
    return this.#write(clientId, `no ${what} ${clientId} up to ${generation}`, () => {
      const undo = table.deleteWhere((row) => row.clientId === clientId && row.generation <= generation);
      return { value: undefined, undo };
    });
  }

  #isOf(shard: number, { clientId }: { clientId: string }): boolean {
    return this.#shards === 1 || shardOf(clientId, this.#shards) === shard;
  }

  #checkVersion(clientId: string, expected: number): void {
    const version = this.#data.presence.get(clientId)?.version ?? 0;
    if (version !== expected) throw new PortError('conflict', `version ${version}, not ${expected}`);
  }

  #checkEpoch(clientId: string, epoch: number): void {
    const there = this.#data.sessions.get(clientId);
    if (there !== undefined && there.epoch > epoch) throw new PortError('conflict', 'a newer epoch');
  }
}

/** Sorts by source, then position; no name holds U+0000. */
function outboundKey(clientId: string, generation: number, { source, position }: OutboundKey): string {
  return `${clientId}\0${generation}\0${source}\0${position}`;
}

function isNewer(row: RetainedRow, than: RetainedRow): boolean {
  return row.layout > than.layout || (row.layout === than.layout && row.position > than.position);
}

function undoAll(undos: (() => void)[]): void {
  for (const undo of undos.reverse()) undo();
}

function closed(): PortError {
  return new PortError('gone', 'the simulated store is closed');
}
