import type { Environment, Table } from './environment.js';
import { closed } from './lmdb-errors.js';
import type { Need } from './room.js';

/** An environment for one of its users: `close` ends that one's use only, once what it began is finished. */
export class EnvironmentScope implements Environment {
  private readonly pending = new Set<Promise<unknown>>();
  private closing: Promise<void> | undefined;

  constructor(private readonly env: Environment) {}

  table<V>(name: string, encoding: 'msgpack' | 'binary'): Table<V> {
    return this.env.table<V>(name, encoding);
  }

  async write(need: Need, start: () => Promise<boolean>, isVisible?: () => boolean): Promise<boolean> {
    if (this.closing) throw closed();
    const written = this.env.write(need, start, isVisible);
    this.pending.add(written);
    try {
      return await written;
    } finally {
      this.pending.delete(written);
    }
  }

  read<T>(look: () => T): T {
    if (this.closing) throw closed();
    return this.env.read(look);
  }

  nextVersion(): number {
    return this.env.nextVersion();
  }

  beforeCommit(run: () => void): void {
    this.env.beforeCommit(run);
  }

  async committed(): Promise<void> {
    await this.env.committed();
  }

  close(): Promise<void> {
    this.closing ??= Promise.allSettled(this.pending).then(() => {});
    return this.closing;
  }
}
