import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { PortErrorCode } from '../../functions/ports/errors.js';
import type { Log, LogEntry, LogReader, LogRecord, Receipt } from '../../functions/ports/log.js';

export interface LogUnderTest {
  log: Log;
  /** Closes the log and opens what it wrote again. Left out where that proves nothing. */
  reopen?: () => Promise<Log>;
  close(): Promise<void>;
}

export interface LogCapabilities {
  /** Bytes of a payload that is refused as `too-large`. */
  tooLargeBytes: number;
  /** Entries for the test of sort order; more than 65,536 where that is quick. */
  manyEntries: number;
}

/** Of all logs that one file tests: they may share a server. */
let topics = 0;

/** Registers what every log must do. Each test takes topics of its own; `makeLog` is called once. */
export function logContract(name: string, makeLog: () => Promise<LogUnderTest>, capabilities: LogCapabilities): void {
  describe(`log contract: ${name}`, () => {
    let subject: LogUnderTest;
    let log: Log;
    const topic = (): string => `contract-${process.pid}-${++topics}`;

    before(async () => {
      subject = await makeLog();
      log = subject.log;
    });
    after(() => subject.close());

    it('a topic has a partition, and an append says which it went to', async () => {
      const name = topic();
      const receipt = await log.append(name, record('k'));
      assert.ok((await log.partitions(name)).includes(receipt.partition));
    });

    it('appends of one key made at once are kept in order', async () => {
      const name = topic();
      const sent = Array.from({ length: 500 }, (_, i) => `${i}`);
      const receipts = await Promise.all(sent.map((text) => log.append(name, record('one', text))));
      const reader = await log.read(receipts[0]!.partition, 'earliest');
      const entries = await take(reader, sent.length);
      assert.deepEqual(entries.map(payloadText), sent);
      assert.deepEqual(entries.map(place), receipts);
    });

    it('appends of several keys from several turns keep the order of each key', async () => {
      const name = topic();
      const appends: Promise<{ partition: string }>[] = [];
      for (let round = 0; round < 20; round++) {
        for (const key of ['a', 'b', 'c']) appends.push(log.append(name, record(key, `${key}${round}`)));
        await new Promise((resolve) => setImmediate(resolve));
      }
      await Promise.all(appends);
      const entries = await takeAll(log, name, appends.length);
      for (const key of ['a', 'b', 'c']) {
        const ofKey = entries.filter((entry) => entry.record.key === key).map(payloadText);
        assert.deepEqual(
          ofKey,
          Array.from({ length: 20 }, (_, i) => `${key}${i}`),
        );
      }
    });

    it('a key stays on its partition', async () => {
      const name = topic();
      const receipts = await Promise.all(Array.from({ length: 20 }, () => log.append(name, record('same'))));
      assert.equal(new Set(receipts.map((receipt) => receipt.partition)).size, 1);
    });

    it('payload, key and properties come back as they were', async () => {
      const name = topic();
      const payload = Uint8Array.from({ length: 256 }, (_, i) => i);
      const records: LogRecord[] = [
        {
          key: 'ключ/😀',
          payload,
          properties: { plain: 'text', ünï: '😀 "quoted" \n', empty: '', long: 'é'.repeat(3_000) },
        },
        { key: 'no-properties', payload: new Uint8Array(0), properties: {} },
        {
          key: 'k'.repeat(43),
          payload: new Uint8Array(70_000).fill(0xff),
          properties: { a: 'x'.repeat(42), b: 'x'.repeat(128) },
        },
      ];
      for (const one of records) await log.append(name, one);
      const entries = await takeAll(log, name, records.length);
      for (const one of records) {
        const { record: got } = entries.find((entry) => entry.record.key === one.key)!;
        assert.ok(Buffer.from(got.payload).equals(one.payload));
        assert.deepEqual({ ...got.properties }, one.properties);
      }
    });

    it('times are near those of the clock and never go back', async () => {
      const name = topic();
      const begun = Date.now();
      for (let i = 0; i < 5; i++) await log.append(name, record('k'));
      const times = (await takeAll(log, name, 5)).map((entry) => entry.appendedAtMs);
      assert.deepEqual(
        times,
        [...times].sort((a, b) => a - b),
      );
      assert.ok(times[0]! >= begun - 1_000 && times[4]! <= Date.now() + 1_000);
    });

    it('a reader from the latest gets only what is appended after', async () => {
      const name = topic();
      const { partition } = await log.append(name, record('k', 'before'));
      const reader = await log.read(partition, 'latest');
      await log.append(name, record('k', 'after'));
      assert.deepEqual((await take(reader, 1)).map(payloadText), ['after']);
    });

    it('history is what is there, from the first, after a position, and since a time', async () => {
      const name = topic();
      for (const empty of await log.partitions(name)) assert.deepEqual(await log.history(empty, 'earliest', 10), []);
      const receipts: Receipt[] = [];
      for (let i = 0; i < 6; i++) {
        receipts.push(await log.append(name, record('k', `${i}`)));
        const appended = Date.now();
        while (Date.now() <= appended) await new Promise((resolve) => setImmediate(resolve));
      }
      const { partition } = receipts[0]!;
      const all = await log.history(partition, 'earliest', 10);
      assert.deepEqual(all.map(payloadText), ['0', '1', '2', '3', '4', '5']);
      assert.deepEqual(all.map(place), receipts);
      assert.deepEqual((await log.history(partition, 'earliest', 2)).map(payloadText), ['0', '1']);
      const after = (i: number) => log.history(partition, { after: receipts[i]!.position }, 3);
      assert.deepEqual((await after(1)).map(payloadText), ['2', '3', '4']);
      assert.deepEqual(await after(5), []);
      for (const { appendedAtMs } of all) {
        const since = await log.history(partition, { sinceMs: appendedAtMs }, 10);
        const expected = all.filter((entry) => entry.appendedAtMs >= appendedAtMs);
        assert.deepEqual(since.map(payloadText), expected.map(payloadText));
      }
      const later = all[5]!.appendedAtMs + 1;
      assert.deepEqual(await log.history(partition, { sinceMs: later }, 10), []);
      assert.equal((await log.history(partition, { sinceMs: 0 }, 10)).length, 6);
    });

    it('a reader after a position begins with the next entry', async () => {
      const name = topic();
      const receipts: Receipt[] = [];
      for (const text of ['1', '2', '3', '4']) receipts.push(await log.append(name, record('k', text)));
      receipts.push(...(await Promise.all(['5', '6'].map((text) => log.append(name, record('k', text))))));
      for (let i = 0; i < 5; i++) {
        const { partition, position } = receipts[i]!;
        const reader = await log.read(partition, { after: position });
        assert.deepEqual((await take(reader, 5 - i)).map(payloadText), ['2', '3', '4', '5', '6'].slice(i));
        await reader.close();
      }
    });

    it('a reader after the newest entry waits for the one to come', async () => {
      const name = topic();
      const { partition, position } = await log.append(name, record('k', 'old'));
      const reader = await log.read(partition, { after: position });
      const reading = reader.read(10);
      await log.append(name, record('k', 'new'));
      assert.deepEqual((await reading).map(payloadText), ['new']);
    });

    it('a read never returns more than its limit, nor nothing', async () => {
      const name = topic();
      const [first] = await Promise.all(Array.from({ length: 25 }, (_, i) => log.append(name, record('k', `${i}`))));
      const reader = await log.read(first!.partition, 'earliest');
      const seen: string[] = [];
      while (seen.length < 25) {
        const entries = await reader.read(10);
        assert.ok(entries.length >= 1 && entries.length <= 10);
        seen.push(...entries.map(payloadText));
      }
      assert.deepEqual(
        seen,
        Array.from({ length: 25 }, (_, i) => `${i}`),
      );
    });

    it('a reader of a topic without entries waits', async () => {
      const name = topic();
      const [partition] = await log.partitions(name);
      assert.equal(await log.last(partition!), undefined);
      const readers = await Promise.all((await log.partitions(name)).map((each) => log.read(each, 'earliest')));
      const reading = Promise.race(readers.map((reader) => reader.read(1)));
      await log.append(name, record('k', 'first'));
      assert.deepEqual((await reading).map(payloadText), ['first']);
      await Promise.all(readers.map((reader) => reader.close()));
    });

    it('a reader closed while it waits rejects with gone, and so does a read after that', async () => {
      const [partition] = await log.partitions(topic());
      const reader = await log.read(partition!, 'latest');
      const reading = rejection(reader.read(1));
      await reader.close();
      assert.equal(await reading, 'gone');
      assert.equal(await rejection(reader.read(1)), 'gone');
    });

    it('two readers each get everything', async () => {
      const name = topic();
      const { partition } = await log.append(name, record('k', '0'));
      const readers = await Promise.all([log.read(partition, 'earliest'), log.read(partition, 'earliest')]);
      const both = Promise.all(readers.map((reader) => take(reader, 50)));
      for (let i = 1; i < 50; i++) await log.append(name, record('k', `${i}`));
      const expected = Array.from({ length: 50 }, (_, i) => `${i}`);
      for (const entries of await both) assert.deepEqual(entries.map(payloadText), expected);
    });

    it('a reader with a name is given everything again from where it is told to begin, whatever it has acknowledged', async () => {
      const name = topic();
      const texts = Array.from({ length: 30 }, (_, i) => `${i}`);
      const receipts = await Promise.all(texts.map((text) => log.append(name, record('k', text))));
      const { partition } = receipts[0]!;
      const first = await log.read(partition, 'earliest', { name: 'somebody' });
      assert.deepEqual((await take(first, 30)).map(payloadText), texts);
      await first.acknowledge(receipts[9]!.position);
      await first.close();
      const second = await log.read(partition, { after: receipts[4]!.position }, { name: 'somebody' });
      assert.deepEqual((await take(second, 25)).map(payloadText), texts.slice(5));
      const reading = second.read(10);
      await log.append(name, record('k', 'more'));
      assert.deepEqual((await reading).map(payloadText), ['more']);
      await second.close();
    });

    it('a name is forgotten, whether the log has heard of it or not', async () => {
      const name = topic();
      const { partition } = await log.append(name, record('k', '0'));
      await log.forget(partition, 'nobody');
      const reader = await log.read(partition, 'earliest', { name: 'somebody' });
      await take(reader, 1);
      await reader.close();
      await log.forget(partition, 'somebody');
      await log.forget(partition, 'somebody');
      const again = await log.read(partition, 'earliest', { name: 'somebody' });
      assert.deepEqual((await take(again, 1)).map(payloadText), ['0']);
      await again.close();
    });

    it('a log that is there says so', () => log.check());

    it('positions are plain text that other texts can be made of', async () => {
      const { position } = await log.append(topic(), record('k'));
      assert.match(position, /^[^~@\s]+$/);
    });

    it('one read at a time', async () => {
      const [partition] = await log.partitions(topic());
      const reader = await log.read(partition!, 'latest');
      const first = rejection(reader.read(1));
      assert.equal(await rejection(reader.read(1)), 'conflict');
      await reader.close();
      assert.equal(await first, 'gone');
    });

    it('what is not a position of the log is refused', async () => {
      const { partition } = await log.append(topic(), record('k'));
      assert.equal(await rejection(log.read(partition, { after: '12:34:0' })), 'refused');
    });

    it('the last position is that of the newest entry', async () => {
      const name = topic();
      for (let i = 0; i < 3; i++) {
        const { partition, position } = await log.append(name, record('k'));
        assert.equal(await log.last(partition), position);
      }
    });

    it(`positions of ${capabilities.manyEntries} entries sort as text`, async () => {
      const name = topic();
      const positions: string[] = [];
      const empty = new Uint8Array(1);
      for (let done = 0; done < capabilities.manyEntries; ) {
        const size = Math.min(10_000, capabilities.manyEntries - done);
        const appends = Array.from({ length: size }, () =>
          log.append(name, { key: 'k', payload: empty, properties: {} }),
        );
        for (const receipt of await Promise.all(appends)) positions.push(receipt.position);
        done += size;
      }
      const outOfOrder = positions.findIndex((each, i) => i > 0 && each <= positions[i - 1]!);
      assert.equal(outOfOrder, -1);
    });

    it('find tells which values are there', async () => {
      const name = topic();
      const since = Date.now();
      await log.append(name, record('k', 'x', { token: 'other' }));
      await Promise.all([
        log.append(name, record('k', 'y', { token: 'another', note: 'wanted' })),
        log.append(name, record('k', 'z', { token: 'wanted' })),
      ]);
      await log.append(name, record('j', 'w', { token: 'wanted-not' }));
      assert.deepEqual(await find(log, name, ['wanted'], since), ['wanted']);
      assert.deepEqual(await find(log, name, ['wanted', 'missing', 'another'], since), ['another', 'wanted']);
      const sought = [
        { key: 'j', value: 'wanted-not' },
        { key: 'k', value: 'other' },
      ];
      assert.deepEqual([...(await log.find(name, 'token', sought, { sinceMs: since })).keys()].sort(), [
        'other',
        'wanted-not',
      ]);
    });

    it('find gives the receipt of what it found', async () => {
      const name = topic();
      const receipt = await log.append(name, record('k', 'x', { token: 'wanted' }));
      const found = await log.find(name, 'token', [{ key: 'k', value: 'wanted' }], { sinceMs: 0 });
      assert.deepEqual(found, new Map([['wanted', receipt]]));
    });

    it('find does not see what only looks like the token', async () => {
      const name = topic();
      await log.append(name, record('k', 'wanted', { token: 'other', wanted: 'token' }));
      assert.deepEqual(await find(log, name, ['wanted'], 0), []);
      assert.deepEqual(await find(log, topic(), ['wanted'], 0), []);
    });

    it('find waits for nobody else where only this process can have appended', async () => {
      const name = topic();
      const append = log.append(name, record('k', 'x', { token: 'own' }));
      const begun = performance.now();
      const found = await log.find(name, 'token', [{ key: 'k', value: 'own' }], { sinceMs: Date.now(), isOwn: true });
      assert.deepEqual(found, new Map([['own', await append]]));
      assert.ok(performance.now() - begun < 3_000);
    });

    it('find sees appends that were in flight when it was asked', async () => {
      const name = topic();
      const tokens = Array.from({ length: 50 }, (_, i) => `flying-${i}`);
      const appends = tokens.map((token) => log.append(name, record('k', 'x', { token })));
      assert.deepEqual(await find(log, name, [...tokens, 'grounded'], Date.now()), [...tokens].sort());
      await Promise.all(appends);
    });

    it('a record that is too large is refused, and those around it are kept', async () => {
      const name = topic();
      const large = { ...record('k'), payload: new Uint8Array(capabilities.tooLargeBytes) };
      const around = log.append(name, record('k', '1'));
      const refused = rejection(log.append(name, large));
      const { partition } = await log.append(name, record('k', '2'));
      await around;
      assert.equal(await refused, 'too-large');
      assert.deepEqual((await take(await log.read(partition, 'earliest'), 2)).map(payloadText), ['1', '2']);
    });

    it('what was acknowledged is there after reopening, and positions go on rising', async (t) => {
      if (!subject.reopen) return t.skip('this log outlives its client');
      const name = topic();
      const receipts = await Promise.all(['1', '2', '3'].map((text) => log.append(name, record('k', text))));
      log = await subject.reopen();
      const { partition, position } = receipts[2]!;
      assert.equal(await log.last(partition), position);
      const next = await log.append(name, record('k', '4'));
      assert.ok(next.position > position);
      const entries = await take(await log.read(partition, 'earliest'), 4);
      assert.deepEqual(entries.map(payloadText), ['1', '2', '3', '4']);
      assert.deepEqual(entries.map(place), [...receipts, next]);
      assert.deepEqual(
        await log.find(name, 'n', [{ key: 'k', value: '3' }], { sinceMs: 0 }),
        new Map([['3', receipts[2]!]]),
      );
    });

    it('closing finishes what was handed over, closes readers and refuses what comes after', async (t) => {
      if (!subject.reopen) return t.skip('the log is shared with the other tests');
      const name = topic();
      const { partition } = await log.append(name, record('k', '0'));
      const reader = await log.read(partition, 'latest');
      const append = log.append(name, record('k', '1'));
      const idle = await log.read((await log.partitions(topic()))[0]!, 'latest');
      const reading = rejection(idle.read(1));
      await log.close();
      await append;
      assert.equal(await reading, 'gone');
      assert.equal(await rejection(reader.read(1).then(() => reader.read(1))), 'gone');
      assert.equal(await rejection(log.append(name, record('k', '2'))), 'gone');
      log = await subject.reopen();
      assert.deepEqual((await take(await log.read(partition, 'earliest'), 2)).map(payloadText), ['0', '1']);
    });
  });
}

function record(key: string, text = 'payload', properties: Record<string, string> = { n: text }): LogRecord {
  return { key, payload: new TextEncoder().encode(text), properties };
}

function payloadText(entry: LogEntry): string {
  return Buffer.from(entry.record.payload).toString();
}

function place({ partition, position }: LogEntry): { partition: string; position: string } {
  return { partition, position };
}

async function take(reader: LogReader, count: number): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  while (entries.length < count) entries.push(...(await reader.read(count - entries.length)));
  return entries;
}

/** Everything in a topic, partition after partition. */
async function takeAll(log: Log, topic: string, count: number): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  for (const partition of await log.partitions(topic)) {
    const last = await log.last(partition);
    if (last === undefined) continue;
    const reader = await log.read(partition, 'earliest');
    do entries.push(...(await reader.read(1_000)));
    while (entries.at(-1)!.position < last);
    await reader.close();
  }
  assert.equal(entries.length, count);
  return entries;
}

async function rejection(promise: Promise<unknown>): Promise<PortErrorCode | 'none'> {
  return promise.then(
    () => 'none',
    (error: { code: PortErrorCode }) => error.code,
  );
}

/** Tokens of key `k` that are there, sorted. */
async function find(log: Log, topic: string, tokens: readonly string[], sinceMs: number): Promise<string[]> {
  const sought = tokens.map((value) => ({ key: 'k', value }));
  return [...(await log.find(topic, 'token', sought, { sinceMs })).keys()].sort();
}
