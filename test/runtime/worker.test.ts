import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silent } from '../../functions/ports/telemetry.js';
import { Broker, Machine } from '../simulation/broker.js';
import { Disk } from '../simulation/disk.js';
import { SimulatedLog } from '../simulation/log.js';
import { defaultLimits } from '../simulation/manner.js';
import { Timeline } from '../simulation/timeline.js';

test('the checkpoint does not pass a retained publication whose row is not written', async () => {
  const timeline = new Timeline(0);
  let isFailing = true;
  const ms = () => 1;
  const fails = (lane: string) => {
    return isFailing && lane.startsWith('retained') ? ({ code: 'unavailable', applied: false } as const) : null;
  };
  const manner = { toApplyMs: ms, toFlushMs: ms, toAnswerMs: ms, fails, keptByCrash: () => 0, note() {} };
  const machine = new Machine(timeline, new Disk(timeline, manner), silent);
  const started = new Broker(machine, { limits: defaultLimits(), partitions: 1 }).start();
  const run = async (until: number): Promise<void> => {
    let isOver = false;
    timeline.at(until, () => {
      isOver = true;
    });
    await timeline.run(() => isOver);
  };
  await run(100);
  await started;
  const options = { partitions: 1, nowMs: () => timeline.nowMs, step: () => 0, recordMaxBytes: 1_000 };
  const properties = { 'mqtt-qos': '0', 'mqtt-retain': 'true' };
  const log = new SimulatedLog(machine.disk, machine.log, options);
  void log.append('mqtt', { key: 'x', payload: Uint8Array.of(1), properties });
  const low = () => machine.store.shards.get('0')?.checkpoints.get('mqtt-0')?.low ?? null;
  await run(20_000);
  assert.equal(low(), null);
  isFailing = false;
  await run(40_000);
  assert.equal(machine.store.retained.get('x')?.position, low());
});
