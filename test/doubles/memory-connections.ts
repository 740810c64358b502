import { fromSnapshot, toSnapshot } from '../../functions/mqtt/snapshot.js';
import type { ConnectionStore, GatewayRow } from '../../functions/ports/connections.js';
import { PortError } from '../../functions/ports/errors.js';

/** Keeps texts, so that nothing of what was put is shared with who gets it. */
export class MemoryConnections implements ConnectionStore {
  readonly #rows = new Map<string, { text: string; version: number }>();
  readonly #parts = new Map<string, Map<number, Uint8Array>>();
  /** Calls so far, by name. */
  readonly calls: Record<string, number> = {};

  get size(): number {
    return this.#rows.size;
  }

  async get(id: string): Promise<{ row: GatewayRow; version: number } | undefined> {
    this.#count('get');
    const found = this.#rows.get(id);
    return found && { row: fromSnapshot<GatewayRow>(found.text), version: found.version };
  }

  async put(row: GatewayRow, expected: number): Promise<number> {
    this.#count('put');
    if ((this.#rows.get(row.id)?.version ?? 0) !== expected) throw new PortError('conflict', row.id);
    this.#rows.set(row.id, { text: toSnapshot(row), version: expected + 1 });
    return expected + 1;
  }

  async move(row: GatewayRow, from: string, expected: number): Promise<number> {
    this.#count('move');
    if ((this.#rows.get(from)?.version ?? 0) !== expected) throw new PortError('conflict', from);
    this.#rows.delete(from);
    this.#rows.set(row.id, { text: toSnapshot(row), version: expected + 1 });
    return expected + 1;
  }

  async delete(id: string): Promise<boolean> {
    this.#count('delete');
    this.#parts.delete(id);
    return this.#rows.delete(id);
  }

  async putPart(id: string, frame: number, bytes: Uint8Array): Promise<void> {
    this.#count('putPart');
    const parts = this.#parts.get(id) ?? new Map();
    this.#parts.set(id, parts.set(frame, Buffer.from(bytes)));
  }

  async parts(id: string, first: number, last: number): Promise<Uint8Array[]> {
    this.#count('parts');
    const parts = [...(this.#parts.get(id) ?? [])].filter(([frame]) => frame >= first && frame <= last);
    return parts.sort(([a], [b]) => a - b).map(([, bytes]) => bytes);
  }

  #count(name: string): void {
    this.calls[name] = (this.calls[name] ?? 0) + 1;
  }
}
