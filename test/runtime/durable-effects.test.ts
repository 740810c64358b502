import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConnectionState } from '../../functions/connection/state.js';
import { type DurableEffect, perform } from '../../functions/runtime/durable-effects.js';
import { BEGIN_MAX_MS } from '../../functions/runtime/publisher.js';

type Begin = Extract<DurableEffect, { type: 'begin-inbound' }>;
type Append = Extract<DurableEffect, { type: 'append' }>;

/** A connection of client `c`, of which the presence row says that the client is connection `holder`'s. */
function connection({ holder = 1, nowMs = 0 } = {}) {
  const did: string[] = [];
  const state = { clientId: 'c', generation: 1, connectionNumber: 1 } as ConnectionState;
  const parts = {
    clock: { now: () => nowMs },
    telemetry: { count() {}, log() {} },
    self: () => 'edge-0',
    presence: { holds: async (_: string, number: number) => number === holder },
    inbound: {
      begin: async () => void did.push('begin'),
      forget: async () => void did.push('forget'),
    },
    publisher: {
      lateMaxMs: 5_000,
      acknowledged() {},
      publish: async ({ topic }: { topic: string }) => void did.push(`append ${topic}`),
    },
  };
  const begin = { type: 'begin-inbound', reference: 1, packetId: 1, token: 't', begunAtMs: 0 } as Begin;
  const appendOf = (topic: string, publishedAtMs: number) =>
    ({ type: 'append', qos: 2, reference: 1, bytes: 1, publication: { topic, publishedAtMs } }) as unknown as Append;
  const run = (effect: DurableEffect) => perform(effect, state, parts as unknown as Parameters<typeof perform>[2]);
  return { did, begin: () => run(begin), append: (topic: string, atMs: number) => run(appendOf(topic, atMs)) };
}

test('QoS 2 that a connection takes after it has lost its client is not appended: the exchange may be over elsewhere', async () => {
  const late = connection({ holder: 2 });
  assert.deepEqual(await late.begin(), { type: 'inbound-failed', code: 'gone' });
  assert.deepEqual(late.did, ['begin', 'forget']);
  const current = connection();
  assert.equal((await current.begin()).type, 'inbound-begun');
  assert.deepEqual(current.did, ['begin']);
});

test('nothing is appended behind QoS 2 of the same connection that came too late', async () => {
  const { did, append } = connection({ nowMs: BEGIN_MAX_MS + 1 });
  const inputs = await Promise.all([append('before', 1), append('late', 0), append('in time', BEGIN_MAX_MS)]);
  assert.deepEqual(
    inputs.map(({ type }) => type),
    ['appended', 'append-failed', 'append-failed'],
  );
  assert.deepEqual(did, ['append before']);
});
