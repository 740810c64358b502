import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Shard } from '../../functions/fan-out/shard.js';
import { PortError } from '../../functions/ports/errors.js';
import { emptySession, type PresenceRow, type Store } from '../../functions/ports/store.js';
import { loadSessions } from '../../functions/runtime/load-sessions.js';
import { defaultLimits } from '../simulation/manner.js';

const NOW_MS = 1_000_000;
const BEFORE: PresenceRow = {
  clientId: 'c',
  generation: 1,
  connectionNumber: 7,
  edge: 'edge-1',
  sessionExpiryS: 100,
  disconnectedAtMs: null,
  will: null,
  leftWills: [],
};
const WILL = { topic: 'w', payload: new Uint8Array(), qos: 0, retain: false, properties: {} } as const;

/** The row is `BEFORE` where the shard's rows are listed, and then `after`, whoever writes. */
async function loadWhile(after: PresenceRow | undefined) {
  const row = {
    ...BEFORE,
    will: { publication: WILL, delayS: 0, connectionNumber: 7 } as unknown as PresenceRow['will'],
  };
  const [left, effects]: [number[], string[]] = [[], []];
  let writes = 0;
  const presence = {
    list: async () => [{ row, version: 1 }],
    get: async () => after && { row: after, version: 2 },
    put: async (_: PresenceRow, expected: number) => {
      if (expected === 1) throw new PortError('conflict', 'another version');
      writes += 1;
      return expected + 1;
    },
  };
  const store = {
    presence,
    sessions: { list: async () => [], take: async () => emptySession('c', 1, 3) },
    outbound: { generations: async () => [] },
  };
  const shard = new Shard({ limits: defaultLimits(), checkpoints: [] }, (_, { type }) => effects.push(type));
  const clock = { now: () => NOW_MS };
  await loadSessions(shard, {
    store: store as unknown as Store,
    clock: clock as never,
    shardNumber: 0,
    epoch: 3,
    left: ({ connectionNumber }) => left.push(connectionNumber),
  });
  shard.tick(NOW_MS);
  return { shard, left, effects, writes };
}

test('a client that comes again while its shard is loaded is no reason to load it anew, and its session waits for it', async () => {
  const will = { publication: WILL, delayS: 0, connectionNumber: 8 } as unknown as PresenceRow['will'];
  const { shard, left, effects, writes } = await loadWhile({ ...BEFORE, connectionNumber: 8, sessionExpiryS: 0, will });
  assert.ok(shard.hasSession('c'));
  assert.deepEqual(left, [7], 'the connection of before');
  assert.deepEqual(effects, [], 'the new connection has its will, and the session is not over');
  assert.equal(writes, 0, 'its row stays as it is');
});

test('what connections of before have told is not for the session that is loaded', async () => {
  const { shard, effects } = await loadWhile(BEFORE);
  effects.length = 0;
  const takes = {
    level: 5,
    receiveMaximum: 1,
    packetMaxBytes: null,
    wantsReasons: false,
    topicAliasMaximum: 0,
  } as const;
  const connected = {
    type: 'connected',
    clientId: 'c',
    generation: 1,
    sessionExpiryS: 0,
    will: null,
    leftWills: [],
  } as const;
  shard.command({ ...connected, ...takes, connectionNumber: 6 }, NOW_MS);
  shard.command(
    {
      type: 'disconnected',
      clientId: 'c',
      connectionNumber: 6,
      will: 'discard',
      sessionExpiryS: 0,
      atMs: NOW_MS,
    } as never,
    NOW_MS,
  );
  shard.tick(NOW_MS);
  assert.deepEqual(effects, [], 'the session is not over');
  assert.ok(shard.hasSession('c'));
});

test('a row that was written for another reason is looked at once more', async () => {
  const { shard, writes } = await loadWhile(BEFORE);
  assert.ok(shard.hasSession('c'));
  assert.equal(writes, 1);
});

test('a session that ends while its shard is loaded is not loaded', async () => {
  const { shard, effects } = await loadWhile(undefined);
  assert.equal(shard.hasSession('c'), false);
  assert.deepEqual(effects, []);
});
