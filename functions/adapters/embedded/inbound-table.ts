import { IF_EXISTS } from 'lmdb';
import { type InboundRow, type InboundStore, retriedInbound } from '../../ports/store.js';
import { clearClient } from './client-rows.js';
import type { Environment, Table } from './environment.js';
import { generationKey, inboundKey } from './keys.js';
import { REMOVAL } from './room.js';
import { ROWS_MAX, rowsWithin } from './rows.js';
import { saving } from './saving.js';

export class InboundTable implements InboundStore {
  private readonly rows: Table<InboundRow>;

  constructor(private readonly env: Environment) {
    this.rows = env.table<InboundRow>('inbound', 'msgpack');
  }

  async begin(
    clientId: string,
    generation: number,
    packetId: number,
    row: InboundRow,
  ): Promise<InboundRow | undefined> {
    const key = inboundKey(clientId, generation, packetId);
    for (;;) {
      const version = this.env.nextVersion();
      const wrote = await this.env.write(saving(row), () =>
        this.rows.ifNoExists(key, () => this.rows.put(key, row, version)),
      );
      if (wrote) return undefined;
      const there = this.env.read(() => this.rows.getEntry(key));
      if (there !== undefined) {
        const again = retriedInbound(there.value, row);
        const put = () => this.rows.put(key, again, this.env.nextVersion(), there.version!);
        if (await this.env.write(saving(again), put)) return there.value;
      }
      // It was removed, or tried again, between the refused write and the read: the identifier is free again.
    }
  }

  async end(clientId: string, generation: number, packetId: number): Promise<boolean> {
    const key = inboundKey(clientId, generation, packetId);
    return this.env.write(REMOVAL, () => this.rows.ifVersion(key, IF_EXISTS, () => this.rows.remove(key)));
  }

  async open(clientId: string, generation: number): Promise<InboundRow[]> {
    await this.env.committed();
    const range = { start: generationKey(clientId, generation), end: generationKey(clientId, generation + 1) };
    return this.env.read(() => rowsWithin(this.rows, range, null, ROWS_MAX)).map(({ value }) => value);
  }

  async forget(clientId: string, generation: number, packetId: number, { token }: InboundRow): Promise<void> {
    const key = inboundKey(clientId, generation, packetId);
    const there = this.env.read(() => this.rows.getEntry(key));
    if (there?.value.token !== token || there.value.retriedAtMs !== undefined) return;
    await this.env.write(REMOVAL, () => this.rows.ifVersion(key, there.version!, () => this.rows.remove(key)));
  }

  clear(clientId: string, generation: number): Promise<void> {
    return clearClient(this.env, this.rows, clientId, generation);
  }
}
