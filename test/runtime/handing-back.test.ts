import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PortError } from '../../functions/ports/errors.js';
import type { SessionCommand } from '../../functions/ports/session-commands.js';
import type { OutboundKey, OutboundRow } from '../../functions/ports/store.js';
import { silent } from '../../functions/ports/telemetry.js';
import { ShardDriver, type ShardDriverParts } from '../../functions/runtime/shard-driver.js';
import { SESSION_LIMITS } from '../session/harness.js';

const FILTER = '$share/g/x';
const nothing = async () => {};

/** Rows of the outbound table, whose clearing fails `failures` times. */
class Outbound {
  readonly rows = new Map<string, OutboundRow>();
  failures = 0;

  readonly put = async (clientId: string, _generation: number, rows: readonly OutboundRow[]) => {
    for (const row of rows) this.rows.set(`${clientId} ${row.source} ${row.position}`, row);
  };

  readonly remove = async (clientId: string, _generation: number, keys: readonly OutboundKey[]) => {
    for (const { source, position } of keys) this.rows.delete(`${clientId} ${source} ${position}`);
  };

  readonly read = async (clientId: string, _generation: number, after: OutboundKey | null) =>
    after === null ? [...this.rows].flatMap(([key, row]) => (key.startsWith(`${clientId} `) ? [row] : [])) : [];

  readonly clear = async (clientId: string) => {
    this.failures -= 1;
    if (this.failures >= 0) throw new PortError('unavailable', 'not now');
    for (const key of this.rows.keys()) if (key.startsWith(`${clientId} `)) this.rows.delete(key);
  };
}

test('what an ended session had of a share is handed back once, however often its rows have to be cleared', async () => {
  const outbound = new Outbound();
  const delivered: string[] = [];
  const parts = {
    clock: { now: () => 0, after: (_: number, run: () => void) => void setImmediate(run), unique: () => '' },
    telemetry: silent,
    store: { outbound, sessions: { put: nothing, delete: nothing }, inbound: { clear: nothing } },
    presence: { tidy: nothing },
    edge: { drained: nothing, deliver: (clientId: string) => delivered.push(clientId) },
  } as unknown as ShardDriverParts;
  const driver = new ShardDriver(parts, { shard: 0, epoch: 1, limits: SESSION_LIMITS, checkpoints: [] });
  const tell = (command: object) => driver.shard.command(command as SessionCommand, 0);
  const connect = (clientId: string, connectionNumber: number, sessionExpiryS: number) => {
    const limits = { receiveMaximum: 10, packetMaxBytes: null, wantsReasons: true, topicAliasMaximum: 0 };
    const head = { type: 'connected', clientId, connectionNumber, generation: connectionNumber, level: 5 };
    tell({ ...head, ...limits, sessionExpiryS, will: null, leftWills: [] });
  };
  const subscribe = (clientId: string, connectionNumber: number) => {
    const subscription = { filter: FILTER, qos: 2, noLocal: false, retainAsPublished: false, retainHandling: 2 };
    const head = { type: 'subscribe', clientId, connectionNumber, packetId: 1, identifier: null, from: null };
    tell({ ...head, subscriptions: [subscription] });
  };
  connect('absent', 1, 60);
  subscribe('absent', 1);
  await driver.settled();
  tell({ type: 'disconnected', clientId: 'absent', connectionNumber: 1, atMs: 0, sessionExpiryS: 60, will: 'discard' });
  const publication = {
    topic: 'x',
    payload: new Uint8Array(),
    qos: 2,
    retain: false,
    publisher: 'p',
    publishedAtMs: 0,
  };
  for (const position of ['001', '002', '003']) {
    driver.shard.publish({ partition: 'p', position }, { ...publication, qos: 2 }, false, 0);
  }
  await driver.settled();
  connect('other', 2, 0);
  subscribe('other', 2);
  await driver.settled();
  delivered.length = 0;
  outbound.failures = 2;
  connect('absent', 3, 60);
  await driver.settled();
  assert.equal(delivered.length, 3);
  assert.equal(outbound.rows.size, 0);
});
