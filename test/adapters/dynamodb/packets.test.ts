import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { anonymous } from '../../../functions/adapters/auth/anonymous.js';
import { openDynamoStore } from '../../../functions/adapters/dynamodb/open.js';
import { openEmbedded } from '../../../functions/adapters/embedded/embedded.js';
import { listenWebSocket } from '../../../functions/adapters/socket/websocket-listener.js';
import { systemClock } from '../../../functions/adapters/system/clock.js';
import type { SessionCommand } from '../../../functions/ports/session-commands.js';
import type { Store } from '../../../functions/ports/store.js';
import { silent } from '../../../functions/ports/telemetry.js';
import { DueWills } from '../../../functions/runtime/due-wills.js';
import { Edge } from '../../../functions/runtime/edge.js';
import { Presence } from '../../../functions/runtime/presence.js';
import { Publisher } from '../../../functions/runtime/publisher.js';
import { Worker } from '../../../functions/runtime/worker.js';
import { Routes } from '../../../functions/topics/routes.js';
import { defaultLimits } from '../../simulation/manner.js';
import { persistentOptions, StockClient } from '../../support/clients.js';
import { testDynamo } from '../../support/dynamodb.js';
import { DynamoProxy, type Units } from '../../support/dynamodb-proxy.js';
import { compareTable } from '../../support/measured-table.js';
import { notRun } from '../../support/parts.js';

/** Edge and worker on the embedded log and this store, as `handlers/start.ts` wires them. Checkpoints are saved when asked for. */
async function startBroker(store: Store, scope: { after(end: () => Promise<void>): void }) {
  const directory = mkdtempSync(join(tmpdir(), 'pulsegate-packets-'));
  const { log, close } = await openEmbedded(directory);
  const checkpoints = new Set<() => void>();
  const clock = {
    ...systemClock,
    now: () => systemClock.now(),
    unique: () => systemClock.unique(),
    after: (ms: number, run: () => void) => {
      if (ms !== 1_000) return systemClock.after(ms, run);
      checkpoints.add(run);
      return () => checkpoints.delete(run);
    },
  };
  const limits = defaultLimits();
  const routes = new Routes();
  const publisher = new Publisher({ log, store, routes, discover: () => null });
  const presence = new Presence({ store: store.presence, clock, edge: () => 'e' });
  let worker: Worker | undefined;
  const sessions = { of: () => ({ tell: (command: SessionCommand) => worker?.tell(command) }) };
  const wills = new DueWills({ clock, telemetry: silent, presence, publisher });
  const parts = { clock, telemetry: silent, authenticator: anonymous, presence, publisher, sessions, wills };
  const edge = new Edge({ ...parts, inbound: store.inbound, self: () => 'e' }, limits);
  const shared = { clock, telemetry: silent, log, store, routes, presence, publisher, edge };
  worker = await Worker.start(shared, { shard: 0, owner: 'e', limits });
  const options = { host: '127.0.0.1', port: 0, path: '/mqtt', packetMaxBytes: 1_000_000, pages: () => null };
  const listener = await listenWebSocket(options, edge.accept);
  scope.after(async () => {
    await listener.stop();
    await edge.close();
    await listener.close();
    await worker?.close();
    await close();
    rmSync(directory, { recursive: true });
  });
  const saveCheckpoints = (): void => {
    for (const run of checkpoints) {
      checkpoints.delete(run);
      run();
    }
  };
  return { url: listener.url, saveCheckpoints };
}

const dynamo = await testDynamo();
if (typeof dynamo === 'string') {
  notRun('DynamoDB Local', dynamo);
} else {
  const proxy = await DynamoProxy.start(dynamo.endpoint);
  const store = await openDynamoStore({ ...(await dynamo.table()), endpoint: proxy.endpoint });
  const ends: (() => Promise<void>)[] = [];
  const scope = { after: (end: () => Promise<void>) => void ends.push(end) };
  after(async () => {
    for (const end of ends.reverse()) await end();
    await store.close();
    await proxy.stop();
  });
  const { url, saveCheckpoints } = await startBroker(store, scope);
  const publisher = await StockClient.connect(scope, url, 5, { clientId: 'publisher' });
  const connect = (clientId: string) => StockClient.connect(scope, url, 5, persistentOptions(5, clientId));

  /** Resolves with what a packet set off, once nothing more is called during two round trips. */
  const settle = async (): Promise<{ calls: Record<string, number>; units: Units }> => {
    const calls: Record<string, number> = {};
    let rounds = 0;
    for (let quiet = 0; quiet < 2; rounds += 1) {
      await publisher.publish('nobody/listens', '', { qos: 1 });
      await store.check();
      const made = proxy.take();
      made.GetItem! -= 1;
      quiet += 1;
      if (proxy.underWay > 0) quiet = 0;
      for (const [name, count] of Object.entries(made)) {
        if (count > 0) quiet = 0;
        if (count > 0) calls[name] = (calls[name] ?? 0) + count;
      }
    }
    const { read, write } = proxy.takeUnits();
    return { calls, units: { read: read - rounds, write } };
  };

  let online: StockClient;
  let received = 0;
  const ten = (publish: (i: number) => Promise<void>) => Promise.all(Array.from({ length: 10 }, (_, i) => publish(i)));
  const delivered = async (qos: 0 | 1 | 2): Promise<void> => {
    await ten((i) => publisher.publish('a/b', `${i}`, { qos }));
    received += 10;
    await online.messages.until('what was published', (all) => all.length >= received);
  };
  const resumed = async (): Promise<void> => {
    online = await connect('online');
    await online.messages.until('the queue', (all) => all.length >= 10);
  };

  /** In this order: what is packed into batches may be so in any number, so that of those only the units are certain. */
  const PACKETS: [packets: string, run: () => unknown, units: Units][] = [
    [
      'CONNECT, DISCONNECT of a session that ends with its connection',
      async () => (await StockClient.connect(scope, url, 5, { clientId: 'brief' })).disconnect(),
      { read: 3, write: 3 },
    ],
    [
      'CONNECT of a new session that persists',
      async () => {
        online = await connect('online');
      },
      { read: 1, write: 1 },
    ],
    ['SUBSCRIBE to a topic', () => online.subscribe('a/b'), { read: 1, write: 1 }],
    ['SUBSCRIBE to a wildcard', () => online.subscribe('a/+/x'), { read: 4, write: 1 }],
    ['UNSUBSCRIBE', () => online.unsubscribe('a/+/x'), { read: 0, write: 1 }],
    ['10 PUBLISH QoS 0, delivered to it', () => delivered(0), { read: 0, write: 0 }],
    ['10 PUBLISH QoS 1, delivered to it', () => delivered(1), { read: 0, write: 0 }],
    ['10 PUBLISH QoS 2, delivered to it', () => delivered(2), { read: 0, write: 30 }],
    ['the checkpoint after that', () => saveCheckpoints(), { read: 0, write: 14 }],
    [
      '10 PUBLISH QoS 2 from it, to nobody',
      () => ten((i) => online.publish('nobody/listens', `${i}`, { qos: 2 })),
      { read: 0, write: 20 },
    ],
    [
      'PUBLISH QoS 1 with RETAIN',
      () => publisher.publish('kept', 'x', { qos: 1, retain: true }),
      { read: 0, write: 1 },
    ],
    ['DISCONNECT of the session that persists', () => online.disconnect(), { read: 1, write: 1 }],
    [
      '10 PUBLISH QoS 1 for it while it is away',
      () => ten((i) => publisher.publish('a/b', `${i}`, { qos: 1 })),
      { read: 0, write: 10 },
    ],
    ['CONNECT that resumes it and takes the 10', resumed, { read: 2, write: 11 }],
  ];

  describe('what MQTT packets cost of DynamoDB', () => {
    const measured: (string | number)[][] = [['packets', 'calls', 'read units', 'write units']];
    for (const [packets, run, units] of PACKETS) {
      it(`${packets}: ${JSON.stringify(units)}`, async () => {
        await settle();
        await run();
        const cost = await settle();
        assert.deepEqual(cost.units, units);
        const names = Object.entries(cost.calls).map(([name, count]) =>
          count === 1 || name === 'BatchWriteItem' ? name : `${count} ${name}`,
        );
        measured.push([packets, names.sort().join(', ') || 'none', units.read, units.write]);
      });
    }
    it('docs/DYNAMODB.md says what they cost', () => compareTable('docs/DYNAMODB.md', 'packets', measured));
  });
}
