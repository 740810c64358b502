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

  /** Finishes what was begun, for as long as one call may take: what still waits then rejects `gone`, as later calls do. */
  async close(): Promise<void> {
    const { lines, calls } = this.shared;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, calls.options.callMaxMs);
    });
    await Promise.race([lines.close(), late]);
    clearTimeout(timer);
    await calls.close();
  }
}
