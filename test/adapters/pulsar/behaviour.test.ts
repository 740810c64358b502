import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadNative } from '../../../functions/adapters/pulsar/native/client.js';
import { openPulsarLog } from '../../../functions/adapters/pulsar/open.js';
import type { PulsarOptions } from '../../../functions/adapters/pulsar/options.js';
import type { Log, LogEntry, LogReader, LogRecord, Receipt } from '../../../functions/ports/log.js';
import { keyHash } from '../../../functions/topics/key-hash.js';
import type { Pulsar } from '../../support/pulsar.js';
import { within } from '../../support/waiting.js';
import { rest, transports } from './transports.js';

const found = await transports();
/** Nothing here is about how long an append may take, and a Pulsar on a busy machine may take long. */
const PATIENT_MS = 60_000;
let topics = 0;
const topic = () => `behaviour-${process.pid}-${++topics}`;
const pathOf = (name: string) => `persistent/public/default/${name}`;

for (const { name: transport, pulsar, open } of found) {
  describe(`pulsar, ${transport}`, () => {
    it('a partitioned topic has its partitions, and an append says which one the key leads to', async () => {
      await withLog(open, {}, async (log) => {
        const name = topic();
        await rest(pulsar, 'PUT', `${pathOf(name)}/partitions`, 4);
        const partitions = await log.partitions(name);
        assert.deepEqual(
          partitions,
          [0, 1, 2, 3].map((index) => `persistent://public/default/${name}-partition-${index}`),
        );
        const receipts = await Promise.all(keys(40).map((key) => log.append(name, record(key))));
        for (const [index, { partition }] of receipts.entries()) {
          assert.equal(partition, partitions[keyHash(`key-${index}`) % 4]);
        }
        const newest = await log.last(receipts[39]!.partition);
        const ofPartition = receipts.filter(({ partition }) => partition === receipts[39]!.partition);
        assert.equal(
          newest,
          ofPartition
            .map(({ position }) => position)
            .sort()
            .at(-1),
        );
      });
    });

    it('a topic that is not there is made as its description says, or not at all', async () => {
      const [made, left, plain] = [topic(), topic(), topic()];
      const describe = (name: string) => {
        if (name.endsWith(plain)) return null;
        return { mayBeMade: name.endsWith(made), partitions: 3 };
      };
      await withLog(open, { describe }, async (log) => {
        for (const name of [made, left, plain]) assert.deepEqual(await log.partitions(name, { make: false }), []);
        assert.equal((await log.partitions(made)).length, 3);
        assert.equal((await log.partitions(made, { make: false })).length, 3);
        assert.deepEqual(await log.partitions(left), []);
        await assert.rejects(log.append(left, record('k')), ({ code, message }: { code: string; message: string }) => {
          return code === 'refused' && message.includes('pulsar-admin topics create-partitioned-topic');
        });
        await log.append(plain, record('k'));
        assert.deepEqual(await log.partitions(plain, { make: false }), [`persistent://public/default/${plain}`]);
        const names = await log.topics('public/default');
        assert.equal(names.filter((name) => name.includes(made)).length, 1);
        assert.ok(names.includes(`persistent://public/default/${plain}`));
      });
    });

    // Behind its WebSocket API Pulsar looks once a minute.
    it('partitions that are added are written to, and tell their layout', { timeout: 120_000 }, async () => {
      await withLog(open, {}, async (log) => {
        const name = topic();
        await rest(pulsar, 'PUT', `${pathOf(name)}/partitions`, 1);
        const before = await Promise.all(keys(20).map((key) => log.append(name, record(key))));
        assert.ok(before.every(({ layout }) => layout === 1));
        await rest(pulsar, 'POST', `${pathOf(name)}/partitions`, 3);
        const [moved] = keys(20).filter((key) => keyHash(key) % 3 === 2);
        const to = `persistent://public/default/${name}-partition-2`;
        let receipt = before[0]!;
        while (receipt.partition !== to) {
          receipt = await log.append(name, record(moved!));
          await new Promise((resolve) => setTimeout(resolve, 250));
        }
        assert.equal((await log.partitions(name)).length, 3);
        assert.ok(receipt.layout! > 1);
        const [entry] = await log.history(to, 'earliest', 1);
        assert.equal(entry!.layout, receipt.layout);
      });
    });

    it('acknowledging moves the durable subscription, and nothing else does', async () => {
      await withLog(open, {}, async (log) => {
        const name = topic();
        const receipts: Receipt[] = [];
        for (let i = 0; i < 5; i++) receipts.push(await log.append(name, record('k', `${i}`)));
        const reader = await log.read(receipts[0]!.partition, 'earliest', { name: 'shard' });
        await take(reader, 5);
        assert.equal(await entriesKept(name), 5);
        await reader.acknowledge(receipts[3]!.position);
        // Up to the entry of that position, which may be a batch that goes on.
        await until(async () => (await entriesKept(name)) === 2);
        await reader.close();
        assert.equal(await entriesKept(name), 2);
      });
    });

    it('a subscription that somebody has removed is there again with the next acknowledgement', async () => {
      await withLog(open, {}, async (log) => {
        const name = topic();
        const receipts: { partition: string; position: string }[] = [];
        for (let i = 0; i < 3; i++) receipts.push(await log.append(name, record('k', `${i}`)));
        const reader = await log.read(receipts[0]!.partition, 'earliest', { name: 'shard' });
        await take(reader, 3);
        await rest(pulsar, 'DELETE', `${pathOf(name)}/subscription/shard?force=true`);
        const there = async () =>
          ((await rest(pulsar, 'GET', `${pathOf(name)}/subscriptions`)) as string[]).includes('shard');
        await until(async () => {
          await reader.acknowledge(receipts[2]!.position).catch(() => {});
          return there();
        });
      });
    });

    it('a reader without a name leaves no subscription behind', async () => {
      await withLog(open, {}, async (log) => {
        const name = topic();
        const { partition } = await log.append(name, record('k'));
        const reader = await log.read(partition, 'earliest');
        await take(reader, 1);
        await reader.close();
        await log.history(partition, 'earliest', 10);
        await until(async () => ((await rest(pulsar, 'GET', `${pathOf(name)}/subscriptions`)) as []).length === 0);
      });
    });

    it('a topic that is unloaded under load loses nothing, and keeps its order', async () => {
      // Makes repeats rare.
      const namespace = await deduplicatingNamespace(pulsar);
      await withLog(open, { namespace }, async (log) => {
        const name = topic();
        const { partition } = await log.append(name, record('k', 'first'));
        const reader = await log.read(partition, 'latest', { name: 'shard' });
        const sent: Promise<string | undefined>[] = [];
        for (let i = 0; i < 600; i++) {
          const text = `${i}`;
          sent.push(
            log.append(name, record('k', text)).then(
              () => text,
              () => undefined,
            ),
          );
          if (i % 200 === 100) await rest(pulsar, 'PUT', `persistent/${namespace}/${name}/unload`);
          if (i % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
        }
        const kept = (await Promise.all(sent)).filter((text) => text !== undefined);
        assert.ok(kept.length > 0);
        const entries: string[] = [];
        // What is in doubt may be there too, after it.
        while (!entries.includes(kept.at(-1) as string)) entries.push(...(await next(reader)).map(textOf));
        const numbers = entries.map(Number);
        // Pulsar's own clients may write again what a lost owner had written: a repeat comes after all it repeats.
        const first = [...new Set(numbers)];
        assert.deepEqual(
          first,
          first.toSorted((a, b) => a - b),
        );
        assert.deepEqual(
          kept.filter((text) => !entries.includes(text)),
          [],
        );
      });
    });

    it('a namespace that is not there is refused, in words of Pulsar', async () => {
      await withLog(open, {}, async (log) => {
        await assert.rejects(log.append('persistent://public/nowhere/t', record('k')), (error: Error) => {
          assert.equal((error as Error & { code: string }).code, 'refused');
          return /Namespace not found|TopicNotFound|404|Authorization/i.test(error.message);
        });
      });
    });

    it('a topic that enforces a schema is refused, in words of Pulsar', async () => {
      const namespace = `public/schema-${process.pid}-${transport.replace(/\W.*/, '')}`;
      await rest(pulsar, 'PUT', `namespaces/${namespace}`);
      const schema = { type: 'JSON', schema: '{"type":"record","name":"P","fields":[]}', properties: {} };
      await rest(pulsar, 'POST', `schemas/${namespace}/strict/schema`, schema);
      await rest(pulsar, 'POST', `namespaces/${namespace}/schemaValidationEnforced`, true);
      await withLog(open, { namespace }, async (log) => {
        await assert.rejects(log.append('strict', record('k')), { code: 'refused', message: /IncompatibleSchema/ });
      });
    });

    it('what waits to be sent is bounded, and refused as full', async () => {
      await withLog(open, { pendingMaxBytes: 10_000 }, async (log) => {
        const name = topic();
        const appends = Array.from({ length: 30 }, () => log.append(name, record('k', 'x'.repeat(1_000))));
        const outcomes = await Promise.allSettled(appends);
        const full = outcomes.filter((outcome) => outcome.status === 'rejected' && outcome.reason.code === 'full');
        assert.ok(full.length > 0 && full.length < 30);
        assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 30 - full.length);
        await log.append(name, record('k'));
      });
    });

    it('the producer that was not used for the longest time makes room for another', async () => {
      await withLog(open, { producersMax: 2 }, async (log) => {
        const names = [topic(), topic(), topic()];
        for (const name of names) await log.append(name, record('k'));
        await until(async () => (await producersOf(names[0]!)) === 0);
        assert.deepEqual([await producersOf(names[1]!), await producersOf(names[2]!)], [1, 1]);
        await log.append(names[0]!, record('k'));
      });
    });

    it('what a batching producer wrote after a position within a batch is read', async () => {
      await withLog(open, {}, async (log) => {
        const name = topic();
        const receipts = await Promise.all(keys(300).map((_, i) => log.append(name, record('k', `${i}`))));
        const { partition, position } = receipts[150]!;
        const after = await log.history(partition, { after: position }, 1_000);
        assert.deepEqual(
          after.map(textOf),
          keys(300)
            .map((_, i) => `${i}`)
            .slice(151),
        );
      });
    });

    async function entriesKept(name: string): Promise<number> {
      const stats = (await rest(pulsar, 'GET', `${pathOf(name)}/stats`)) as {
        subscriptions: { shard: { msgBacklog: number } };
      };
      return stats.subscriptions.shard.msgBacklog;
    }

    async function producersOf(name: string): Promise<number> {
      return ((await rest(pulsar, 'GET', `${pathOf(name)}/stats`)) as { publishers: [] }).publishers.length;
    }
  });
}

describe('pulsar, whatever the transport', () => {
  it('both lead a key to the same partition', async () => {
    const [one, other] = found;
    if (one === undefined || other === undefined) return;
    const name = topic();
    await rest(one.pulsar, 'PUT', `${pathOf(name)}/partitions`, 5);
    await withLog(one.open, {}, (first) =>
      withLog(other.open, {}, async (second) => {
        for (const key of [...keys(40), 'ключ/😀', 'a/b/c']) {
          const [a, b] = await Promise.all([first.append(name, record(key)), second.append(name, record(key))]);
          assert.equal(a.partition, b.partition, key);
        }
      }),
    );
  });

  it('the hash of a key is that of Java', () => {
    assert.deepEqual(['', 'a', 'hello', 'ключ/😀'].map(keyHash), [0, 97, 99162322, 199067352]);
  });

  it('a message in chunks, larger than Pulsar takes in one, is read by both', async (t) => {
    const native = found.find(({ name }) => name === 'native client');
    if (native === undefined) return t.skip('only the native client writes chunks, and its addon does not load');
    const name = `persistent://public/default/${topic()}`;
    const payload = Buffer.alloc(12 * 1024 * 1024, 'chunk ');
    const client = new (loadNative().Client)({ serviceUrl: native.pulsar.broker, logLevel: 3, log: () => {} });
    const producer = await client.createProducer({ topic: name, chunkingEnabled: true, batchingEnabled: false });
    for (const data of [Buffer.from('before'), payload, Buffer.from('after')]) {
      await producer.send({ data, partitionKey: 'k', properties: {} });
    }
    for (const { open } of found) {
      await withLog(open, {}, async (log) => {
        const last = await log.last(name);
        const entries = await log.history(name, 'earliest', 10);
        assert.deepEqual(
          entries.map(({ record }) => record.payload.length),
          [6, payload.length, 5],
        );
        assert.ok(payload.equals(entries[1]!.record.payload));
        assert.equal(entries[2]!.position, last);
        const after = await log.history(name, { after: entries[1]!.position }, 10);
        assert.deepEqual(after.map(textOf), ['after']);
      });
    }
    await client.close();
  });

  it('a URL of another kind is refused', async () => {
    await assert.rejects(openPulsarLog({ url: 'kafka://127.0.0.1' }), { code: 'refused' });
  });
});

async function deduplicatingNamespace(pulsar: Pulsar): Promise<string> {
  const namespace = `public/behaviour-${process.pid}-${++topics}`;
  await rest(pulsar, 'PUT', `namespaces/${namespace}`, {});
  await rest(pulsar, 'POST', `namespaces/${namespace}/deduplication`, true);
  return namespace;
}

async function withLog(
  open: (options: Partial<PulsarOptions>) => Promise<Log>,
  options: Partial<PulsarOptions>,
  use: (log: Log) => Promise<void>,
): Promise<void> {
  const log = await open({ appendDeadlineMs: PATIENT_MS, ...options });
  try {
    await use(log);
  } finally {
    await log.close();
  }
}

function record(key: string, text = 'payload'): LogRecord {
  return { key, payload: Buffer.from(text), properties: {} };
}

function keys(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `key-${index}`);
}

function textOf({ record }: LogEntry): string {
  return Buffer.from(record.payload).toString();
}

async function take(reader: LogReader, count: number): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  while (entries.length < count) entries.push(...(await next(reader)));
  return entries;
}

function next(reader: LogReader): Promise<readonly LogEntry[]> {
  return within('entries', reader.read(1_000), 20_000);
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const look = async () => {
    while (!(await isSo())) await new Promise((again) => setTimeout(again, 50));
  };
  await within('what Pulsar says of itself', look(), 10_000);
}
