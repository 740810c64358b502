import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PortError } from '../../functions/ports/errors.js';
import { logContract } from '../contracts/log.js';
import { storeContract } from '../contracts/store.js';
import { Chance } from './chance.js';
import { Disk, type DiskManner } from './disk.js';
import { LogData, SimulatedLog } from './log.js';
import { SimulatedStore, StoreData } from './store.js';
import { Timeline } from './timeline.js';

const RECORD_MAX_BYTES = 1_000_000;

/** A disk whose time passes by itself, as fast as it can. */
function restlessDisk(seed: number, manner: Partial<DiskManner> = {}): { disk: Disk; timeline: Timeline } {
  const chance = new Chance(seed);
  const timeline = new Timeline(0);
  const ms = () => chance.between(0, 5);
  const still: DiskManner = {
    toApplyMs: ms,
    toFlushMs: ms,
    toAnswerMs: ms,
    fails: () => null,
    keptByCrash: (count) => count,
    note() {},
    ...manner,
  };
  return { disk: new Disk(timeline, still), timeline };
}

/** Runs events for as long as there are any, whenever there are some. */
function keepRunning(timeline: Timeline): () => void {
  let isOver = false;
  const loop = async (): Promise<void> => {
    while (!isOver) {
      await timeline.run(() => false);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  void loop();
  return () => {
    isOver = true;
  };
}

function openLog(disk: Disk, data: LogData): SimulatedLog {
  const options = { partitions: 3, nowMs: () => Date.now(), step: () => 0, recordMaxBytes: RECORD_MAX_BYTES };
  return new SimulatedLog(disk, data, options);
}

logContract(
  'simulated',
  async () => {
    const { disk, timeline } = restlessDisk(1);
    const data = new LogData();
    const stop = keepRunning(timeline);
    let log = openLog(disk, data);
    return {
      get log() {
        return log;
      },
      async reopen() {
        await log.close();
        log = openLog(disk, data);
        return log;
      },
      async close() {
        await log.close();
        stop();
      },
    };
  },
  { tooLargeBytes: RECORD_MAX_BYTES + 1, manyEntries: 2_000 },
);

storeContract('simulated', async () => {
  const { disk, timeline } = restlessDisk(2);
  const data = new StoreData();
  const stop = keepRunning(timeline);
  let store = new SimulatedStore(disk, data);
  return {
    get store() {
      return store;
    },
    async reopen() {
      await store.close();
      store = new SimulatedStore(disk, data);
      return store;
    },
    async close() {
      await store.close();
      stop();
    },
  };
});

test('a crash keeps what was flushed, and of the rest a beginning of every lane', async () => {
  const { disk, timeline } = restlessDisk(3, { toFlushMs: () => 10, toAnswerMs: () => 0, keptByCrash: () => 1 });
  const data = new LogData();
  const log = openLog(disk, data);
  const answers: string[] = [];
  const append = (key: string, text: string) => {
    const record = { key, payload: new TextEncoder().encode(text), properties: {} };
    void log.append('t', record).then(() => answers.push(text));
  };
  append('a', 'a1');
  await timeline.run(() => answers.length === 1);
  for (const text of ['a2', 'a3']) append('a', text);
  for (const text of ['b1', 'b2']) append('b', text);
  await timeline.run(() => data.of('t-1').entries.length === 3);
  data.forgetReaders();
  disk.crash();
  await timeline.run(() => false);
  const texts = [...data.partitions.values()].flatMap(({ entries }) =>
    entries.map(({ record }) => new TextDecoder().decode(record.payload)),
  );
  assert.deepEqual(texts.sort(), ['a1', 'a2', 'b1']);
  assert.deepEqual(answers, ['a1']);
});

test('a crash undoes a row that was seen and not flushed', async () => {
  const { disk, timeline } = restlessDisk(4, { toFlushMs: () => 1_000, keptByCrash: () => 0 });
  const data = new StoreData();
  const store = new SimulatedStore(disk, data);
  const row = { epoch: 1, clientId: 'c', generation: 1, subscriptions: [], retainedDue: [], sequence: 1 };
  void store.sessions.put(row);
  await timeline.run(() => data.sessions.get('c') !== undefined);
  disk.crash();
  assert.equal(data.sessions.get('c'), undefined);
});

test('a failed write is answered as it was told to, made or not', async () => {
  for (const applied of [false, true]) {
    const { disk, timeline } = restlessDisk(5, { fails: () => ({ code: 'unavailable', applied }) });
    const data = new StoreData();
    const put = new SimulatedStore(disk, data).inbound.begin('c', 1, 1, { token: 't', begunAtMs: 0 });
    const failed = assert.rejects(put, (error) => error instanceof PortError && error.code === 'unavailable');
    await timeline.run(() => false);
    await failed;
    assert.equal(data.inbound.size, applied ? 1 : 0);
  }
});
