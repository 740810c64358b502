import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generate } from 'mqtt-packet';
import { anonymous } from '../../functions/adapters/auth/anonymous.js';
import { systemClock } from '../../functions/adapters/system/clock.js';
import { LIMITS, type LimitValues } from '../../functions/handlers/limits.js';
import type { Peer } from '../../functions/ports/peer.js';
import { silent } from '../../functions/ports/telemetry.js';
import { Edge } from '../../functions/runtime/edge.js';
import { Presence } from '../../functions/runtime/presence.js';
import { Publisher } from '../../functions/runtime/publisher.js';
import { Routes } from '../../functions/topics/routes.js';
import { Disk } from '../simulation/disk.js';
import { LogData, SimulatedLog } from '../simulation/log.js';
import { SimulatedStore, StoreData } from '../simulation/store.js';
import { Timeline } from '../simulation/timeline.js';

test('closing waits for a presence row that is being claimed, and gives it back', async () => {
  const timeline = new Timeline(0);
  const manner = { toApplyMs: () => 1, toFlushMs: () => 1, toAnswerMs: () => 1, keptByCrash: () => 0 };
  const disk = new Disk(timeline, { ...manner, fails: () => null, note() {} });
  const data = new StoreData();
  const store = new SimulatedStore(disk, data);
  const options = { partitions: 1, nowMs: () => 0, step: () => 0, recordMaxBytes: 1_000 };
  const publisher = new Publisher({ log: new SimulatedLog(disk, new LogData(), options), store, routes: new Routes() });
  const presence = new Presence({ store: store.presence, clock: systemClock, edge: 'e' });
  const parts = { clock: systemClock, telemetry: silent, authenticator: anonymous, presence, publisher };
  const edge = new Edge({ ...parts, inbound: store.inbound, sessions: { tell() {} } }, defaults());
  const events = edge.accept(peer());
  events.received(
    generate({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clientId: 'c', clean: false, keepalive: 0 }),
  );
  // The authenticator takes no virtual time.
  await new Promise((resolve) => setImmediate(resolve));
  await timeline.run(() => data.presence.size === 1);
  let isClosed = false;
  const closed = edge.close().then(() => {
    isClosed = true;
  });
  await timeline.run(() => isClosed);
  await closed;
  assert.equal(typeof data.presence.get('c')?.row.disconnectedAtMs, 'number');
});

function peer(): Peer {
  return { address: 'p', bufferedBytes: 0, send() {}, pause() {}, resume() {}, close() {} };
}

function defaults(): LimitValues {
  const names = Object.keys(LIMITS) as (keyof LimitValues)[];
  return Object.fromEntries(names.map((name) => [name, LIMITS[name].default])) as LimitValues;
}
