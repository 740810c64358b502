import { PortError } from '../../functions/ports/errors.js';
import type { LeaseRow, LeaseStore } from '../../functions/ports/leases.js';
import type { Storage } from './disk.js';

/** What outlives a process. */
export class LeaseData {
  readonly rows = new Map<number, { row: LeaseRow; version: number }>();
  /** Never given twice. */
  version = 0;
}

/** Leases as one process has them open. */
export class SimulatedLeases implements LeaseStore {
  constructor(
    private readonly storage: Storage,
    private readonly data: LeaseData,
  ) {}

  list(): Promise<{ row: LeaseRow; version: number }[]> {
    return this.storage.read('leases', () => structuredClone([...this.data.rows.values()]));
  }

  put(row: LeaseRow, expected: number): Promise<number> {
    const stored = structuredClone(row);
    return this.storage.write('leases', `lease ${row.slot} of ${row.holder}, beat ${row.beat}: ${row.shards}`, () => {
      this.#check(row.slot, expected);
      this.data.version += 1;
      const { version } = this.data;
      this.data.rows.set(row.slot, { row: stored, version });
      return { value: version };
    });
  }

  delete(slot: number, expected: number): Promise<void> {
    return this.storage.write('leases', `no lease ${slot}`, () => {
      this.#check(slot, expected);
      this.data.rows.delete(slot);
      return { value: undefined };
    });
  }

  #check(slot: number, expected: number): void {
    const version = this.data.rows.get(slot)?.version ?? 0;
    if (version !== expected) throw new PortError('conflict', `lease ${slot} is at version ${version}`);
  }
}
