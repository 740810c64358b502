import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type Embedded, type EmbeddedOptions, openEmbedded } from '../../../functions/adapters/embedded/embedded.js';
import { TOMBSTONE_KEPT_MS } from '../../../functions/adapters/embedded/retained-table.js';
import type { PresenceRow, RetainedRow } from '../../../functions/ports/store.js';
import { shardOf } from '../../../functions/topics/shard.js';
import { storeContract } from '../../contracts/store.js';

storeContract('embedded', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'pulsegate-store-'));
  let embedded = await openEmbedded(directory);
  return {
    store: embedded.store,
    async reopen() {
      await embedded.close();
      embedded = await openEmbedded(directory);
      return embedded.store;
    },
    async close() {
      await embedded.close();
      rmSync(directory, { recursive: true });
    },
  };
});

describe('embedded store', () => {
  it('the version of a deleted presence row is not that of its successor', async () => {
    await withEmbedded({}, async ({ store }) => {
      const first = await store.presence.put(presence('c'), 0);
      await store.presence.delete('c', first);
      await store.presence.put(presence('c'), 0);
      await assert.rejects(store.presence.put(presence('c'), first), { code: 'conflict' });
    });
  });

  it('each shard lists its own clients, and every client is in one', async () => {
    await withEmbedded({ shards: 3 }, async ({ store }) => {
      const ids = Array.from({ length: 60 }, (_, i) => `client-${i}`).sort();
      await Promise.all(ids.map((id) => store.presence.put(presence(id), 0)));
      const listed = await Promise.all([0, 1, 2].map((shard) => store.presence.list(shard, null, 100)));
      for (const [shard, rows] of listed.entries()) {
        assert.deepEqual(
          rows.map(({ row }) => row.clientId),
          ids.filter((id) => shardOf(id, 3) === shard),
        );
        const [page] = await store.presence.list(shard, rows[1]!.row.clientId, 1);
        assert.equal(page?.row.clientId, rows[2]!.row.clientId);
      }
    });
  });

  it('a tombstone is forgotten after its time, and what was set again stays', async () => {
    let now = 1_000;
    await withEmbedded({ clock: { now: () => now } }, async ({ store }) => {
      await store.retained.put(retained('cleared', '5', null));
      await store.retained.put(retained('again', '5', null));
      await store.retained.put(retained('again', '6'));
      now += TOMBSTONE_KEPT_MS - 1;
      await store.retained.put(retained('other', '1'));
      assert.equal(await store.retained.put(retained('cleared', '4')), false);
      now += 2;
      await store.retained.put(retained('other', '2'));
      assert.equal(await store.retained.put(retained('cleared', '4')), true);
      assert.equal((await store.retained.match('again', null, 1)).rows[0]?.position, '6');
    });
  });

  it('a text with U+0000 is refused', async () => {
    await withEmbedded({}, async ({ store }) => {
      await assert.rejects(store.presence.put(presence('a\0b'), 0), { code: 'refused' });
    });
  });
});

function presence(clientId: string): PresenceRow {
  const times = { disconnectedAtMs: null, sessionExpiryS: 0 };
  return { clientId, connectionNumber: 1, generation: 1, edge: 'e', ...times, will: null, leftWills: [] };
}

function retained(topic: string, position: string, payload: Uint8Array | null = new Uint8Array(1)): RetainedRow {
  const publication = payload && { topic, payload, qos: 0 as const, retain: true, publisher: '', publishedAtMs: 0 };
  return { topic, layout: 1, partition: 'p', position, publication };
}

async function withEmbedded(options: EmbeddedOptions, run: (embedded: Embedded) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'pulsegate-store-'));
  const embedded = await openEmbedded(directory, options);
  try {
    await run(embedded);
  } finally {
    await embedded.close();
    rmSync(directory, { recursive: true });
  }
}
