import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generate } from 'mqtt-packet';
import { anonymous } from '../../functions/adapters/auth/anonymous.js';
import type { Peer, PeerEvents } from '../../functions/ports/peer.js';
import { silent } from '../../functions/ports/telemetry.js';
import { DueWills } from '../../functions/runtime/due-wills.js';
import { Edge } from '../../functions/runtime/edge.js';
import { Presence } from '../../functions/runtime/presence.js';
import { Publisher } from '../../functions/runtime/publisher.js';
import { Routes } from '../../functions/topics/routes.js';
import { Disk } from '../simulation/disk.js';
import { LogData, SimulatedLog } from '../simulation/log.js';
import { defaultLimits } from '../simulation/manner.js';
import { SimulatedStore, StoreData } from '../simulation/store.js';
import { Timeline } from '../simulation/timeline.js';

/** An edge in virtual time. `slow.reads`: how long each read of the store takes, 1 ms where that is used up. */
function openEdge() {
  const timeline = new Timeline(1_000);
  const slow = { reads: [] as number[] };
  const answer = () => slow.reads.shift() ?? 1;
  const manner = { toApplyMs: () => 0, toFlushMs: () => 0, toAnswerMs: answer, keptByCrash: () => 0 };
  const disk = new Disk(timeline, { ...manner, fails: () => null, note() {} });
  const data = new StoreData();
  const store = new SimulatedStore(disk, data);
  const options = { partitions: 1, nowMs: () => timeline.nowMs, step: () => 0, recordMaxBytes: 1_000 };
  const publisher = new Publisher({
    log: new SimulatedLog(disk, new LogData(), options),
    store,
    routes: new Routes(),
    discover: () => null,
  });
  const clock = {
    now: () => timeline.nowMs,
    after: (ms: number, run: () => void) => timeline.after(ms, run),
    unique: () => 'u'.repeat(22),
  };
  const presence = new Presence({ store: store.presence, clock, edge: () => 'e' });
  const wills = new DueWills({ clock, telemetry: silent, presence, publisher });
  const sessions = { of: () => ({ tell() {} }) };
  const parts = {
    clock,
    telemetry: silent,
    authenticator: anonymous,
    presence,
    publisher,
    wills,
    sessions,
    self: () => 'e',
  };
  const edge = new Edge({ ...parts, inbound: store.inbound }, defaultLimits());
  const run = async (ms: number): Promise<void> => {
    // What takes no virtual time first.
    await new Promise((resolve) => setImmediate(resolve));
    let isOver = false;
    timeline.after(ms, () => {
      isOver = true;
    });
    await timeline.run(() => isOver);
  };
  return { edge, slow, row: () => data.presence.get('c')?.row, run };
}

/** A connection of client `c`. */
function dial(edge: Edge, withWill = false): PeerEvents & { isClosed: () => boolean } {
  let isClosed = false;
  const close = () => {
    isClosed = true;
  };
  const peer: Peer = { address: 'p', bufferedBytes: 0, send() {}, pause() {}, resume() {}, close };
  const events = edge.accept(peer);
  const will = { topic: 'w', payload: Buffer.from('gone'), qos: 0, retain: false } as const;
  const connect = { cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clientId: 'c', clean: false } as const;
  events.received(generate({ ...connect, keepalive: 0, ...(withWill && { will }) }));
  return { ...events, isClosed: () => isClosed };
}

test('closing waits for a presence row that is being claimed, and gives it back', async () => {
  const { edge, row, run } = openEdge();
  dial(edge);
  await run(1);
  assert.equal(row(), undefined);
  const closed = edge.close();
  await run(100);
  await closed;
  assert.equal(typeof row()?.disconnectedAtMs, 'number');
});

test('a CONNECT right behind a DISCONNECT does not take the discarded will for one left behind', async () => {
  const { edge, slow, row, run } = openEdge();
  const first = dial(edge, true);
  await run(10);
  assert.notEqual(row()?.will, null);
  slow.reads = [50];
  first.received(generate({ cmd: 'disconnect' }));
  dial(edge);
  await run(200);
  assert.equal(row()?.disconnectedAtMs, null);
  assert.deepEqual(row()?.leftWills, []);
});

test('a connection is not taken over by one that came before it and took longer [MQTT-3.1.4-3]', async () => {
  const { edge, slow, row, run } = openEdge();
  slow.reads = [50];
  const first = dial(edge);
  await run(1);
  first.closed();
  const second = dial(edge);
  await run(200);
  assert.equal(second.isClosed(), false);
  assert.equal(row()?.disconnectedAtMs, null);
});
