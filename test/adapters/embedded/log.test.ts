import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openEmbedded } from '../../../functions/adapters/embedded/embedded.js';
import { type Environment, openEnvironment } from '../../../functions/adapters/embedded/environment.js';
import { EmbeddedLog } from '../../../functions/adapters/embedded/log.js';
import { RECORD_MAX_BYTES } from '../../../functions/adapters/embedded/topic-log.js';
import type { LogEntry } from '../../../functions/ports/log.js';
import { logContract } from '../../contracts/log.js';

logContract(
  'embedded',
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'pulsegate-log-'));
    let embedded = await openEmbedded(directory);
    return {
      log: embedded.log,
      async reopen() {
        await embedded.close();
        embedded = await openEmbedded(directory);
        return embedded.log;
      },
      async close() {
        await embedded.close();
        rmSync(directory, { recursive: true });
      },
    };
  },
  { tooLargeBytes: RECORD_MAX_BYTES + 1, manyEntries: 100_000 },
);

describe('embedded log', () => {
  it('a reader reads on from disk where memory no longer reaches', async () => {
    await withLog({ tailMaxBytes: 2_000 }, async (log) => {
      for (let i = 0; i < 100; i++) await log.append('t', numbered(i));
      const reader = await log.read('t', 'earliest');
      const seen: LogEntry[] = [];
      while (seen.length < 100) seen.push(...(await reader.read(7)));
      assert.deepEqual(
        seen.map((entry) => entry.record.properties.n),
        Array.from({ length: 100 }, (_, i) => `${i}`),
      );
    });
  });

  it('a clock that is set back makes no time go back, and find still finds', async () => {
    let now = 1_000_000;
    await withLog({ now: () => now }, async (log) => {
      await log.append('t', numbered(1));
      now = 500_000;
      const receipt = await log.append('t', numbered(2));
      const sought = [{ key: 'k', value: '2' }];
      const reader = await log.read('t', { after: receipt.position.replace(/.{4}$/, 'ffff') });
      const reading = reader.read(1);
      now = 2_000_000;
      await log.append('t', numbered(3));
      assert.equal((await reading)[0]?.appendedAtMs, 2_000_000);
      assert.deepEqual([...(await log.find('t', 'n', sought, { sinceMs: 500_000 })).keys()], ['2']);
    });
  });

  it('history since a time goes by the times that entries have, whatever the clock did', async () => {
    let now = 1_000_000;
    await withLog({ now: () => now }, async (log) => {
      for (const [i, time] of [1_000_000, 500_000, 999_999, 1_000_001, 700_000].entries()) {
        now = time;
        await log.append('t', numbered(i));
      }
      const since = async (sinceMs: number): Promise<(string | undefined)[]> =>
        (await log.history('t', { sinceMs }, 10)).map((entry) => entry.record.properties.n);
      assert.deepEqual(await since(600_000), ['0', '1', '2', '3', '4']);
      assert.deepEqual(await since(1_000_000), ['0', '1', '2', '3', '4']);
      assert.deepEqual(await since(1_000_001), ['3', '4']);
      assert.deepEqual(await since(1_000_002), []);
    });
  });

  it('history since a time is found by bisection, however much there is and was trimmed', async () => {
    let now = 0;
    await withLog({ now: () => now, tailMaxBytes: 0 }, async (log, env) => {
      for (now = 10; now <= 5_000; now += 10) await log.append('t', numbered(now));
      const reader = await log.read('t', 'earliest');
      await reader.acknowledge((await log.history('t', { sinceMs: 1_000 }, 1))[0]!.position);
      now = 5_000;
      await log.trim({ maxAgeMs: 4_000, maxBytes: Number.MAX_SAFE_INTEGER });
      const reads = countReads(env);
      const first = async (sinceMs: number) => (await log.history('t', { sinceMs }, 1))[0]?.record.properties.n;
      assert.equal(await first(0), '1000');
      assert.equal(await first(3_333), '3340');
      assert.equal(await first(5_000), '5000');
      assert.ok(reads.count <= 3 * 11, `${reads.count} reads for three times among 500 batches`);
    });
  });

  it('find begins at the given time, less a second', async () => {
    let now = 0;
    await withLog({ now: () => now }, async (log) => {
      for (let i = 1; i <= 50; i++) {
        now = i * 1_000;
        await log.append('t', numbered(i));
      }
      const seen = async (number: number, sinceMs: number) =>
        (await log.find('t', 'n', [{ key: 'k', value: `${number}` }], { sinceMs })).size === 1;
      assert.deepEqual([await seen(31, 31_500), await seen(30, 31_500)], [true, false]);
      assert.equal(await seen(1, 0), true);
      assert.equal(await seen(50, 52_000), false);
    });
  });

  it('records of more than one batch in one turn are split and kept in order', async () => {
    await withLog({}, async (log) => {
      const payload = new Uint8Array(3 * 1024 * 1024);
      const receipts = await Promise.all(
        Array.from({ length: 10 }, (_, i) => log.append('t', { ...numbered(i), payload })),
      );
      const positions = receipts.map((receipt) => receipt.position);
      assert.deepEqual(positions, [...positions].sort());
      assert.equal(new Set(positions.map((position) => position.slice(0, 12))).size, 5);
    });
  });

  it('topics do not mix', async () => {
    await withLog({}, async (log) => {
      const names = ['a', 'ab', 'b', ''];
      await Promise.all(names.map((name) => log.append(name, { ...numbered(0), properties: { name } })));
      for (const name of names) {
        const entries = await (await log.read(name, 'earliest')).read(10);
        assert.deepEqual(
          entries.map((entry) => [entry.partition, entry.record.properties.name]),
          [[name, name]],
        );
      }
    });
  });
});

function numbered(n: number): { key: string; payload: Uint8Array; properties: Record<string, string> } {
  return { key: 'k', payload: new Uint8Array(100), properties: { n: `${n}` } };
}

function countReads(env: Environment): { count: number } {
  const reads = { count: 0 };
  const { read } = env;
  env.read = (look) => {
    reads.count += 1;
    return read.call(env, look) as ReturnType<typeof look>;
  };
  return reads;
}

async function withLog(
  options: ConstructorParameters<typeof EmbeddedLog>[1],
  run: (log: EmbeddedLog, env: Environment) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'pulsegate-log-'));
  const env = await openEnvironment(directory);
  const log = new EmbeddedLog(env, options);
  try {
    await run(log, env);
  } finally {
    await log.close();
    await env.close();
    rmSync(directory, { recursive: true });
  }
}
