import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PortError } from '../../functions/ports/errors.js';
import type { LeaseRow, LeaseStore } from '../../functions/ports/leases.js';
import { silent } from '../../functions/ports/telemetry.js';
import { Membership } from '../../functions/runtime/membership.js';

/** Time that passes only when it is told to, and rows in memory. */
class Deployment {
  #nowMs = 0;
  #timers: { atMs: number; run: () => void }[] = [];
  readonly rows = new Map<number, { row: LeaseRow; version: number }>();
  readonly leases: LeaseStore = {
    list: async () => structuredClone([...this.rows.values()]),
    put: async (row, expected) => {
      this.#at(row.slot, expected);
      const version = expected + 1;
      this.rows.set(row.slot, structuredClone({ row, version }));
      return version;
    },
    delete: async (slot, expected) => {
      this.#at(slot, expected);
      this.rows.delete(slot);
    },
  };

  join(holder: string, shards: string): Promise<Membership> {
    const clock = {
      now: () => this.#nowMs,
      after: (ms: number, run: () => void) => {
        const timer = { atMs: this.#nowMs + ms, run };
        this.#timers.push(timer);
        return () => {
          this.#timers = this.#timers.filter((each) => each !== timer);
        };
      },
      unique: () => holder,
    };
    const parts = { clock, leases: this.leases, telemetry: silent, lost: () => {} };
    const agreed = { PULSEGATE_SHARDS: shards };
    return Membership.join(parts, { holder, isEdge: true, isWorker: false, agreed, leaseMs: 15_000 });
  }

  async pass(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      const [next] = this.#timers.sort((a, b) => a.atMs - b.atMs);
      if (next === undefined || next.atMs > untilMs) break;
      this.#timers.shift();
      this.#nowMs = next.atMs;
      next.run();
    }
    this.#nowMs = untilMs;
  }

  #at(slot: number, expected: number): void {
    if ((this.rows.get(slot)?.version ?? 0) !== expected) throw new PortError('conflict', 'another version');
  }
}

/** What has become of a process that joins. */
function outcomeOf(joining: Promise<Membership>): { is: string } {
  const outcome = { is: 'waits' };
  joining.then(
    () => {
      outcome.is = 'joined';
    },
    (error: Error) => {
      outcome.is = error.message;
    },
  );
  return outcome;
}

test('a process with other settings is refused though the one that runs is started anew meanwhile', async () => {
  const deployment = new Deployment();
  const old = await deployment.join('old', '4');
  await deployment.pass(1_000);
  const other = outcomeOf(deployment.join('other', '8'));
  await deployment.pass(3_000);
  await old.leave();
  await deployment.pass(2_000);
  await deployment.join('old again', '4');
  await deployment.pass(40_000);
  assert.match(other.is, /^PULSEGATE_SHARDS is "8" here and "4" in process 0, which runs/);
  assert.deepEqual(
    [...deployment.rows.values()].map(({ row }) => row.holder),
    ['old again'],
  );
});

test('a lease that nobody renews keeps nobody out', async () => {
  const deployment = new Deployment();
  const dead = await deployment.join('dead', '4');
  dead.stop();
  const other = outcomeOf(deployment.join('other', '8'));
  await deployment.pass(40_000);
  assert.equal(other.is, 'joined');
});
