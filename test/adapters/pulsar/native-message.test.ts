import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type MessageId, positionOf } from '../../../functions/adapters/pulsar/message-id.js';
import type { NativeMessage } from '../../../functions/adapters/pulsar/native/client.js';
import { entriesOf, NativeIds } from '../../../functions/adapters/pulsar/native/message.js';
import { NativeReceipts } from '../../../functions/adapters/pulsar/native/receipts.js';
import { RecentAppends, RecentByPartition } from '../../../functions/adapters/pulsar/native/recent-appends.js';
import type { PortError } from '../../../functions/ports/errors.js';
import type { LogRecord, Position, Receipt } from '../../../functions/ports/log.js';

const RECORD: LogRecord = { key: 'k', payload: Buffer.alloc(0), properties: {} };

/** Rising ids, as the messages of some entries have them; of a batch that is not whole a part is missing, as after compaction. */
const rising = (isWhole: fc.Arbitrary<boolean>): fc.Arbitrary<MessageId[]> =>
  fc
    .array(
      fc.record({
        batch: fc.uniqueArray(fc.nat(60), { minLength: 1, maxLength: 40 }),
        isWhole,
        isNextLedger: fc.boolean(),
      }),
      { maxLength: 12 },
    )
    .map((entries) => {
      let ledgerId = 3;
      return entries.flatMap(({ batch, isWhole, isNextLedger }, entryId) => {
        if (isNextLedger) ledgerId += 1;
        const indexes = isWhole ? batch.map((_, i) => i) : [...batch].sort((left, right) => left - right);
        return indexes.map((batchIndex) => ({ ledgerId, entryId, partition: -1, batchIndex }));
      });
    });

test('every message of a page has its own position', () => {
  fc.assert(
    fc.property(rising(fc.boolean()), (ids) => {
      const positions = entriesOf(messagesOf(ids), 'p', new NativeIds()).map(({ position }) => position);
      assert.deepEqual(positions, ids.map(positionOf));
    }),
  );
});

test('every message of a page has the time of its entry', () => {
  fc.assert(
    fc.property(rising(fc.boolean()), (ids) => {
      const times = entriesOf(messagesOf(ids), 'p', new NativeIds()).map(({ appendedAtMs }) => appendedAtMs);
      assert.deepEqual(times, ids.map(timeOf));
    }),
  );
});

test('of a whole batch only two ids are read', () => {
  const reads = { count: 0 };
  const ids = Array.from({ length: 1_000 }, (_, batchIndex) => ({ ledgerId: 1, entryId: 2, partition: 0, batchIndex }));
  assert.equal(entriesOf(messagesOf(ids, reads), 'p', new NativeIds()).length, 1_000);
  assert.equal(reads.count, 2);
});

test('every receipt of a turn has its own position, in whatever order they came, and where one failed in between', async () => {
  await fc.assert(
    fc.asyncProperty(
      rising(fc.constant(true)),
      fc.array(fc.nat(), { maxLength: 20 }),
      fc.nat(3),
      async (ids, swaps, lacking) => {
        const receipts = new NativeReceipts('p', new RecentByPartition());
        const got = new Map<MessageId, Position>();
        const sent = ids.map((id, i) => {
          const order = receipts.next();
          const appended = ({ position }: Receipt) => void got.set(id, position);
          // The one after it was sent, and is in no batch.
          if (i % 7 === lacking) receipts.next();
          return { order, id: idOf(id), record: RECORD, outcome: { appended, failed: assert.fail } };
        });
        for (const at of swaps) if (at + 1 < sent.length) [sent[at], sent[at + 1]] = [sent[at + 1]!, sent[at]!];
        for (const one of sent) receipts.add(one);
        await new Promise(setImmediate);
        assert.deepEqual(
          ids.map((id) => got.get(id)),
          ids.map(positionOf),
        );
      },
    ),
  );
});

test('what a topic that deduplicates had before is in doubt, and nothing else of the turn', async () => {
  await fc.assert(
    fc.asyncProperty(rising(fc.constant(true)), fc.func(fc.boolean()), async (ids, hadBefore) => {
      const receipts = new NativeReceipts('p', new RecentByPartition());
      const got = new Map<MessageId, string>();
      const had = (id: MessageId) => hadBefore(id.ledgerId, id.entryId);
      for (const id of ids) {
        const appended = ({ position }: Receipt) => void got.set(id, position);
        const failed = (error: unknown) => void got.set(id, (error as PortError).code);
        const answered = had(id) ? { ...id, ledgerId: -1, entryId: -1 } : id;
        receipts.add({ order: receipts.next(), id: idOf(answered), record: RECORD, outcome: { appended, failed } });
      }
      await new Promise(setImmediate);
      const expected = ids.map((id) => (had(id) ? 'unavailable' : positionOf(id)));
      assert.deepEqual([...got.values()], expected);
    }),
  );
});

test('of the receipts of a whole batch only two ids are read', async () => {
  let reads = 0;
  let got = 0;
  const receipts = new NativeReceipts('p', new RecentByPartition());
  for (let batchIndex = 0; batchIndex < 1_000; batchIndex += 1) {
    const text = idOf({ ledgerId: 1, entryId: 2, partition: 0, batchIndex });
    const id = {
      toString() {
        reads += 1;
        return text;
      },
    };
    const appended = () => {
      got += 1;
    };
    receipts.add({ order: receipts.next(), id, record: RECORD, outcome: { appended, failed: assert.fail } });
  }
  await new Promise(setImmediate);
  assert.deepEqual([got, reads], [1_000, 2]);
});

test('what this process appended is handed out as it was given, once, and nothing else is taken for it', async () => {
  const recent = new RecentByPartition();
  const read = recent.open('p');
  const receipts = new NativeReceipts('p', recent);
  const frame = Buffer.from('<payload>');
  const record = { key: 'own', payload: frame.subarray(1, 8), properties: { a: 'b' } };
  const ids = [0, 1, 2].map((batchIndex) => ({ ledgerId: 1, entryId: 2, partition: -1, batchIndex }));
  receipts.add({ order: receipts.next(), id: idOf(ids[1]!), record, outcome: { appended() {}, failed: assert.fail } });
  await new Promise(setImmediate);
  frame.fill('-');
  const keysOf = (recent?: RecentAppends) =>
    entriesOf(messagesOf(ids), 'p', new NativeIds(), recent).map(({ record }) => record.key);
  const entries = entriesOf(messagesOf(ids), 'p', new NativeIds(), read);
  assert.deepEqual(entries[1]!.record, { key: 'own', payload: Buffer.from('payload'), properties: { a: 'b' } });
  assert.deepEqual(
    entries.map(({ record }) => record.key),
    ['k', 'own', 'k'],
  );
  assert.deepEqual(keysOf(read), ['k', 'k', 'k']);
});

test('of what is not read only so much is kept, the newest', () => {
  const recent = new RecentAppends();
  const positions = Array.from({ length: 10_000 }, (_, i) =>
    positionOf({ ledgerId: 1, entryId: i, partition: -1, batchIndex: 0 }),
  );
  for (const position of positions) recent.add(position, RECORD);
  assert.equal(
    positions.findIndex((position) => recent.take(position) !== undefined),
    10_000 - 4_096,
  );
  const large = { ...RECORD, payload: Buffer.alloc(1024 * 1024) };
  for (const position of positions.slice(0, 10)) recent.add(position, large);
  assert.equal(positions.slice(0, 10).filter((position) => recent.take(position) !== undefined).length, 4);
});

test('nothing is kept of a partition that is not read', () => {
  const recent = new RecentByPartition();
  const first = recent.open('p');
  const second = recent.open('p');
  recent.close('p', first);
  assert.equal(recent.of('p'), second);
  recent.close('p', second);
  assert.equal(recent.of('p'), undefined);
});

function messagesOf(ids: readonly MessageId[], reads = { count: 0 }): NativeMessage[] {
  return ids.map(({ ledgerId, entryId, partition, batchIndex }) => ({
    getProperties: () => ({}),
    getData: () => Buffer.alloc(0),
    getPublishTimestamp: () => timeOf({ ledgerId, entryId }),
    getPartitionKey: () => 'k',
    getMessageId: () => {
      reads.count += 1;
      return idOf({ ledgerId, entryId, partition, batchIndex });
    },
  }));
}

/** As of an entry by itself. */
function timeOf({ ledgerId, entryId }: Pick<MessageId, 'ledgerId' | 'entryId'>): number {
  return ledgerId * 1_000 + entryId;
}

/** Its batch index is -1 where the entry is one message. */
function idOf({ ledgerId, entryId, partition, batchIndex }: MessageId): string {
  return `(${ledgerId},${entryId},${partition},${batchIndex === 0 ? -1 : batchIndex})`;
}
