/**
 * The program's own transport to Pulsar, and nothing else: appends as many as its window allows, or reads what is there from
 * its beginning, one record after the other being thrown away. In a process of its own.
 */
import { openPulsarLog } from '../../functions/adapters/pulsar/open.js';
import type { Log } from '../../functions/ports/log.js';
import type { LoadNote } from './load.js';

export interface LogTask {
  log: string;
  web: string;
  namespace: string;
  topic: string;
  does: 'publish' | 'consume';
  keys: number;
  payloadBytes: number;
  /** Records without their receipt, of all keys together. */
  window: number;
  warmUpMs: number;
  measureMs: number;
}

const READ_ENTRIES = 8_192;

process.once('message', (task: LogTask) => {
  run(task).catch((error) => {
    console.error(error);
    process.exit(1);
  });
});
process.on('disconnect', () => process.exit());

async function run(task: LogTask): Promise<void> {
  const log = await openPulsarLog({ url: task.log, webUrl: task.web, namespace: task.namespace });
  const done = { count: 0 };
  const stop = task.does === 'publish' ? publishing(log, task, done) : await consuming(log, task, done);
  await pass(task.warmUpMs);
  say({ note: 'measuring' });
  const before = { count: done.count, ms: performance.now(), cpu: process.cpuUsage() };
  await pass(task.measureMs);
  const cpu = process.cpuUsage(before.cpu);
  const measuredMs = performance.now() - before.ms;
  const delivered = done.count - before.count;
  const result = { delivered, measuredMs, cpuMs: (cpu.user + cpu.system) / 1_000, lost: 0, latencyMs: null };
  say({ note: 'measured', result });
  await stop();
  await log.close();
  process.disconnect();
}

function publishing(log: Log, { topic, keys, payloadBytes, window }: LogTask, done: { count: number }) {
  const payload = Buffer.alloc(payloadBytes, 'x');
  let sent = 0;
  let isOver = false;
  const publish = (): void => {
    const key = `bench/pair/${sent++ % keys}`;
    log.append(topic, { key, payload, properties: {} }).then(() => {
      done.count += 1;
      if (!isOver) publish();
    });
  };
  for (let i = 0; i < window; i += 1) publish();
  return async () => {
    isOver = true;
  };
}

/** Over and over again from the beginning: what is there may be little. */
async function consuming(log: Log, { topic }: LogTask, done: { count: number }) {
  let isOver = false;
  const [partition = ''] = await log.partitions(topic);
  const last = (await log.last(partition)) ?? '';
  const reading = (async () => {
    while (!isOver) {
      const reader = await log.read(partition, 'earliest');
      for (let at = ''; at < last && !isOver; ) {
        const entries = await reader.read(READ_ENTRIES);
        done.count += entries.length;
        at = entries.at(-1)?.position ?? at;
      }
      await reader.close();
    }
  })();
  return async () => {
    isOver = true;
    await reading;
  };
}

function say(note: LoadNote): void {
  process.send?.(note);
}

function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
