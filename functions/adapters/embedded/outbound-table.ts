import type { OutboundKey, OutboundRow, OutboundStore } from '../../ports/store.js';
import { clearClient } from './client-rows.js';
import type { Environment, Table } from './environment.js';
import { generationKey, generationOf, keysUnder, outboundKey } from './keys.js';
import { REMOVAL } from './room.js';
import { rowsWithin } from './rows.js';
import { saving } from './saving.js';

export class OutboundTable implements OutboundStore {
  private readonly rows: Table<OutboundRow>;

  constructor(private readonly env: Environment) {
    this.rows = env.table<OutboundRow>('outbound', 'msgpack');
  }

  async put(clientId: string, generation: number, rows: readonly OutboundRow[]): Promise<void> {
    const keyed = rows.map((row) => ({ row, key: outboundKey(clientId, generation, row.source, row.position) }));
    await Promise.all(
      keyed.map(({ key, row }) => this.env.write(saving(row), () => this.rows.put(key, row, this.env.nextVersion()))),
    );
  }

  async remove(clientId: string, generation: number, keys: readonly OutboundKey[]): Promise<void> {
    const places = keys.map(({ source, position }) => outboundKey(clientId, generation, source, position));
    await Promise.all(places.map((key) => this.env.write(REMOVAL, () => this.rows.remove(key))));
  }

  async read(clientId: string, generation: number, after: OutboundKey | null, limit: number): Promise<OutboundRow[]> {
    const start = after && outboundKey(clientId, generation, after.source, after.position);
    const range = keysUnder(generationKey(clientId, generation));
    return this.env.read(() => rowsWithin(this.rows, range, start, limit)).map(({ value }) => value);
  }

  async generations(clientId: string, generation: number): Promise<number[]> {
    const found: number[] = [];
    const { end } = keysUnder(generationKey(clientId, generation));
    for (let start = generationKey(clientId, 0); ; start = generationKey(clientId, (found.at(-1) ?? 0) + 1)) {
      const [row] = this.env.read(() => rowsWithin(this.rows, { start, end }, null, 1));
      if (row === undefined) return found;
      found.push(generationOf(clientId, row.key));
      if (found.at(-1) === generation) return found;
    }
  }

  clear(clientId: string, generation: number): Promise<void> {
    return clearClient(this.env, this.rows, clientId, generation);
  }
}
