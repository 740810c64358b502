import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type MessageId, positionOf } from '../../../functions/adapters/pulsar/message-id.js';
import type { NativeMessage } from '../../../functions/adapters/pulsar/native/client.js';
import { entriesOf, NativeIds } from '../../../functions/adapters/pulsar/native/message.js';

/** Rising ids, as the messages of some entries have them; of some batches a part is missing, as after compaction. */
const rising: fc.Arbitrary<MessageId[]> = fc
  .array(
    fc.record({
      batch: fc.uniqueArray(fc.nat(60), { minLength: 1, maxLength: 40 }),
      isWhole: fc.boolean(),
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
    fc.property(rising, (ids) => {
      const positions = entriesOf(messagesOf(ids), 'p', new NativeIds()).map(({ position }) => position);
      assert.deepEqual(positions, ids.map(positionOf));
    }),
  );
});

test('of a whole batch only two ids are read', () => {
  const reads = { count: 0 };
  const ids = Array.from({ length: 1_000 }, (_, batchIndex) => ({ ledgerId: 1, entryId: 2, partition: 0, batchIndex }));
  assert.equal(entriesOf(messagesOf(ids, reads), 'p', new NativeIds()).length, 1_000);
  assert.equal(reads.count, 2);
});

function messagesOf(ids: readonly MessageId[], reads = { count: 0 }): NativeMessage[] {
  return ids.map(({ ledgerId, entryId, partition, batchIndex }) => ({
    getProperties: () => ({}),
    getData: () => Buffer.alloc(0),
    getPublishTimestamp: () => 0,
    getPartitionKey: () => 'k',
    getMessageId: () => {
      reads.count += 1;
      // Its batch index is -1 where the entry is one message.
      return `(${ledgerId},${entryId},${partition},${batchIndex === 0 ? -1 : batchIndex})`;
    },
  }));
}
