import type { Store } from '../../ports/store.js';
import type { Environment } from './environment.js';
import { EnvironmentScope } from './environment-scope.js';
import { InboundTable } from './inbound-table.js';
import { OutboundTable } from './outbound-table.js';
import { PresenceTable } from './presence-table.js';
import { RetainedTable } from './retained-table.js';
import { SessionTable } from './session-table.js';
import { ShardTable } from './shard-table.js';

export interface EmbeddedStoreOptions {
  /** Number of shards, for `list`. Rows carry none, so it may differ from one opening to the next. */
  shards?: number;
  /** Milliseconds since the epoch. */
  now?: () => number;
}

/** The store on LMDB, a table for each kind of row. `close` leaves the environment open. */
export class EmbeddedStore implements Store {
  readonly presence: PresenceTable;
  readonly sessions: SessionTable;
  readonly inbound: InboundTable;
  readonly outbound: OutboundTable;
  readonly retained: RetainedTable;
  readonly shards: ShardTable;

  constructor(env: Environment, { shards = 1, now = Date.now }: EmbeddedStoreOptions = {}) {
    const scope = new EnvironmentScope(env);
    this.check = async () => scope.read(() => {});
    this.close = () => scope.close();
    this.presence = new PresenceTable(scope, shards);
    this.sessions = new SessionTable(scope, shards);
    this.inbound = new InboundTable(scope);
    this.outbound = new OutboundTable(scope);
    this.retained = new RetainedTable(scope, now);
    this.shards = new ShardTable(scope);
  }

  check: () => Promise<void>;
  /** Finishes what was begun; later calls reject `gone`. */
  close: () => Promise<void>;
}
