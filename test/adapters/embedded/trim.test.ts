import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type Environment, openEnvironment } from '../../../functions/adapters/embedded/environment.js';
import { EmbeddedLog } from '../../../functions/adapters/embedded/log.js';
import type { LogEntry } from '../../../functions/ports/log.js';

const HOUR_MS = 3_600_000;
const MIB = 1024 * 1024;

describe('retention of the embedded log', () => {
  let directory: string;
  let env: Environment;
  let log: EmbeddedLog;
  let now = 1_000 * HOUR_MS;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'pulsegate-trim-'));
    env = await openEnvironment(directory);
    log = new EmbeddedLog(env, { now: () => now, tailMaxBytes: 0 });
  });
  afterEach(async () => {
    await log.close();
    await env.close();
    await rm(directory, { recursive: true });
  });

  async function append(count: number, bytes = 10): Promise<string[]> {
    const positions: string[] = [];
    for (let i = 0; i < count; i += 1) {
      const receipt = await log.append('t', { key: 'k', payload: Buffer.alloc(bytes, i), properties: {} });
      positions.push(receipt.position);
    }
    return positions;
  }

  async function kept(): Promise<number> {
    const reader = await log.read('t', 'earliest');
    const last = await log.last('t');
    let count = 0;
    for (;;) {
      const entries = await reader.read(100);
      count += entries.length;
      if (entries.at(-1)?.position === last) break;
    }
    await reader.close();
    return count;
  }

  it('what is acknowledged and too old goes', async () => {
    const positions = await append(10);
    now += 2 * HOUR_MS;
    await append(5);
    const reader = await log.read('t', 'earliest');
    await reader.acknowledge(positions[7] as string);
    await log.trim({ maxAgeMs: HOUR_MS, maxBytes: 1024 * MIB });
    assert.equal(await kept(), 8, 'seven went; the eighth is where the reader stands');
  });

  it('what no reader has acknowledged stays, whatever its age', async () => {
    await append(10);
    now += 100 * HOUR_MS;
    const reader = await log.read('t', 'earliest');
    await log.trim({ maxAgeMs: HOUR_MS, maxBytes: 0 });
    assert.equal(await kept(), 10);
    await reader.close();
  });

  it('the reader that is furthest behind decides', async () => {
    const positions = await append(10);
    now += 2 * HOUR_MS;
    const ahead = await log.read('t', 'earliest');
    const behind = await log.read('t', 'earliest');
    await ahead.acknowledge(positions[9] as string);
    await behind.acknowledge(positions[2] as string);
    await log.trim({ maxAgeMs: HOUR_MS, maxBytes: 1024 * MIB });
    assert.equal(await kept(), 8);
  });

  it('what is acknowledged and beyond the size goes, the oldest first', async () => {
    const positions = await append(20, MIB);
    const reader = await log.read('t', 'earliest');
    await reader.acknowledge(positions[19] as string);
    await log.trim({ maxAgeMs: 100 * HOUR_MS, maxBytes: 10 * MIB });
    const left = await kept();
    assert.ok(left >= 8 && left <= 10, `${left} of 20 are kept`);
  });

  it('under load the file stays near the size that is kept', async () => {
    const retention = { maxAgeMs: 100 * HOUR_MS, maxBytes: 8 * MIB };
    await log.close();
    log = new EmbeddedLog(env, { now: () => now, tailMaxBytes: 0, retention });
    const reader = await log.read('t', 'latest');
    const count = 128 * 64;
    const following = (async () => {
      for (let seen = 0; seen < count; ) {
        const entries = await reader.read(1_000);
        seen += entries.length;
        await reader.acknowledge(entries.at(-1)!.position);
      }
    })();
    const record = { key: 'k', payload: Buffer.alloc(16 * 1024), properties: {} };
    for (let i = 0; i < count; i += 32) await Promise.all(Array.from({ length: 32 }, () => log.append('t', record)));
    await following;
    const { size } = statSync(join(directory, 'data.mdb'));
    assert.ok(size < 3 * retention.maxBytes, `${size} bytes after ${128 * MIB} were appended`);
  });

  it('trimming much leaves turns and commits to others', async () => {
    const positions = await append(1_000);
    const reader = await log.read('t', 'earliest');
    await reader.acknowledge(positions[999] as string);
    now += 2 * HOUR_MS;
    let isDone = false;
    const trimmed = log.trim({ maxAgeMs: HOUR_MS, maxBytes: 1024 * MIB }).then(() => {
      isDone = true;
    });
    let meanwhile = 0;
    for (; !isDone; meanwhile += 1) await append(1);
    await trimmed;
    assert.ok(meanwhile >= 10, `${meanwhile} appends while 999 batches went`);
  });

  it('one slice of trimming takes in no more than a few MiB', async () => {
    const positions = await append(20, MIB);
    const reader = await log.read('t', 'earliest');
    await reader.acknowledge(positions[19] as string);
    now += 2 * HOUR_MS;
    const slices: number[] = [];
    const { read } = env;
    env.read = (look) => {
      const found = read.call(env, look) as ReturnType<typeof look>;
      if (Array.isArray(found)) slices.push(found.length);
      return found;
    };
    await log.trim({ maxAgeMs: HOUR_MS, maxBytes: 1024 * MIB });
    assert.ok(Math.max(...slices) <= 5, `slices of ${slices}`);
    assert.equal(await kept(), 1);
  });

  it('a reader that trimming overtook, or that begins behind it, goes on with the oldest that is kept', async () => {
    const positions = await append(10);
    const behind = await log.read('t', 'earliest');
    const [first] = await behind.read(1);
    assert.equal(first?.position, positions[0]);
    const ahead = await log.read('t', 'earliest');
    await ahead.acknowledge(positions[7] as string);
    now += 2 * HOUR_MS;
    await log.trim({ maxAgeMs: HOUR_MS, maxBytes: 1024 * MIB });
    const place = async (entries: Promise<readonly LogEntry[]>) => (await entries)[0]?.position;
    assert.equal(await place(behind.read(1)), positions[7]);
    const after = { after: positions[2] as string };
    assert.equal(await place((await log.read('t', after)).read(1)), positions[7]);
    assert.equal(await place(log.history('t', after, 1)), positions[7]);
    assert.equal(await place(log.history('t', { sinceMs: 0 }, 1)), positions[7]);
    assert.equal(await place(log.history('t', 'earliest', 1)), positions[7]);
  });

  it('a log trimmed as far as it can be goes on with higher positions after it is opened again', async () => {
    const positions = await append(5);
    now += 2 * HOUR_MS;
    const reader = await log.read('t', 'earliest');
    await reader.acknowledge(positions[4] as string);
    await log.trim({ maxAgeMs: HOUR_MS, maxBytes: 0 });
    await log.close();
    log = new EmbeddedLog(env, { now: () => now });
    const [next] = await append(1);
    assert.ok((next as string) > (positions[4] as string));
    assert.equal(await kept(), 2);
  });
});
