import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openEnvironment } from '../../../functions/adapters/embedded/environment.js';
import { EmbeddedLog } from '../../../functions/adapters/embedded/log.js';
import { EmbeddedStore } from '../../../functions/adapters/embedded/store.js';
import type { PortErrorCode } from '../../../functions/ports/errors.js';
import { SmallDisk } from '../../support/small-disk.js';

const MIB = 1024 * 1024;

test('on a full disk the room that retention and removals make inside the file is used again', async (t) => {
  const disk = SmallDisk.mount(t, 12 * MIB, 0);
  if (disk === null) return t.skip('no small disk here');
  const directory = join(disk.directory, 'data');
  const env = await openEnvironment(directory);
  const log = new EmbeddedLog(env);
  const store = new EmbeddedStore(env, {});
  const begin = (id: number) => store.inbound.begin('c', 1, id, { token: 'x'.repeat(1_000), begunAtMs: 0 });
  const append = () => log.append('t', { key: 'k', payload: Buffer.alloc(10_000), properties: {} });
  const reader = await log.read('t', 'earliest');

  const { position } = await untilFull(append);
  const first = statSync(join(directory, 'data.mdb')).size;
  // Rows still fit where publications do not, and removals where rows do not.
  let rows = 0;
  await untilFull(() => begin(++rows));
  assert.ok(rows > 100, `${rows} rows after the last publication`);
  for (let id = 1; id < rows; id += 1) assert.equal(await store.inbound.end('c', 1, id), true);
  for (let id = 1; id < rows / 2; id += 1) await begin(id);

  for (let round = 0; round < 3; round += 1) {
    await reader.acknowledge(position);
    await log.trim({ maxAgeMs: 1e12, maxBytes: 2 * MIB });
    for (let i = 0; i < 100; i += 1) await append();
    const last = await log.last('t');
    await reader.acknowledge(last as string);
  }
  assert.ok(statSync(join(directory, 'data.mdb')).size <= first, 'it did not have to grow');
  await log.close();
  await store.close();
  await env.close();
});

test('writes made at once wait for room that those before them turn out not to need, in order', async (t) => {
  const disk = SmallDisk.mount(t, 8 * MIB, 0);
  if (disk === null) return t.skip('no small disk here');
  const env = await openEnvironment(join(disk.directory, 'data'));
  const store = new EmbeddedStore(env, {});
  const done: number[] = [];
  const begins = Array.from({ length: 6_000 }, async (_, id) => {
    await store.inbound.begin('c', 1, id, { token: 'x'.repeat(500), begunAtMs: 0 });
    done.push(id);
  });
  await Promise.all(begins);
  assert.deepEqual(
    done,
    begins.map((_, id) => id),
  );
  await store.close();
  await env.close();
});

async function untilFull<T>(write: () => Promise<T>): Promise<T> {
  for (let last: T | undefined; ; ) {
    try {
      last = await write();
    } catch (error) {
      assert.equal((error as { code: PortErrorCode }).code, 'full');
      return last as T;
    }
  }
}
