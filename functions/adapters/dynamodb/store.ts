import type { Store } from '../../ports/store.js';
import { InboundTable } from './inbound-table.js';
import { META } from './keys.js';
import { OutboundTable } from './outbound-table.js';
import { PresenceTable } from './presence-table.js';
import { RetainedTable } from './retained-table.js';
import { SessionTable } from './session-table.js';
import { ShardTable } from './shard-table.js';
import type { Shared } from './shared.js';

export class DynamoStore implements Store {
  readonly presence: PresenceTable;
  readonly sessions: SessionTable;
  readonly inbound: InboundTable;
  readonly outbound: OutboundTable;
  readonly retained: RetainedTable;
  readonly shards: ShardTable;

  constructor(private readonly shared: Shared) {
    this.presence = new PresenceTable(shared);
    this.sessions = new SessionTable(shared);
    this.inbound = new InboundTable(shared);
    this.outbound = new OutboundTable(shared);
    this.retained = new RetainedTable(shared);
    this.shards = new ShardTable(shared);
  }

  async check(): Promise<void> {
    await this.shared.calls.get(META);
  }

  /** Finishes what was begun; later calls reject `gone`. */
  async close(): Promise<void> {
    await this.shared.lines.close();
    await this.shared.calls.close();
  }
}
