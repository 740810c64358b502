import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  decodeMessageId,
  encodeMessageId,
  isPlace,
  type MessageId,
  messageIdOf,
  positionOf,
} from '../../../functions/adapters/pulsar/message-id.js';

const ids: fc.Arbitrary<MessageId> = fc.record(
  {
    ledgerId: fc.maxSafeNat(),
    entryId: fc.nat(2 ** 31 - 1),
    partition: fc.integer({ min: -1, max: 5_000 }),
    batchIndex: fc.nat(100_000),
  },
  { noNullPrototype: true },
);

test('a message id survives its protobuf form', () => {
  fc.assert(fc.property(ids, (id) => assert.deepEqual(decodeMessageId(encodeMessageId(id)), id)));
});

test('what Pulsar writes is read, with the fields that we do not use', () => {
  // Taken from Pulsar 4.0.8: ledger, entry, batch index, an empty acknowledgement set, batch size.
  const id = { ledgerId: 3, entryId: 0, partition: -1, batchIndex: 1 };
  assert.deepEqual(decodeMessageId(Buffer.from('0803100020013002', 'hex')), id);
  const partitioned = { ledgerId: 6, entryId: 0, partition: 1, batchIndex: 0 };
  assert.deepEqual(decodeMessageId(Buffer.from('0806100018013000', 'hex')), partitioned);
  const inChunks = Buffer.from('080310003a040802100118013002', 'hex');
  assert.deepEqual(decodeMessageId(inChunks), { ledgerId: 3, entryId: 0, partition: 1, batchIndex: 0 });
  const packed = Buffer.from('08031000200128ffffffffffffffffff012a0201023002', 'hex');
  assert.deepEqual(decodeMessageId(packed), id);
});

test('an id that says nowhere is told from a place', () => {
  // Of a message that a topic which deduplicates had before.
  const nowhere = { ledgerId: -1, entryId: -1, partition: -1, batchIndex: 3 };
  assert.equal(isPlace(positionOf(decodeMessageId(encodeMessageId(nowhere)))), false);
  fc.assert(fc.property(ids, (id) => assert.equal(isPlace(positionOf(id)), true)));
});

test('a message id that ends early is told apart', () => {
  for (const cut of ['08', '0883', '080310']) {
    assert.throws(() => decodeMessageId(Buffer.from(cut, 'hex')), { code: 'unavailable' });
  }
});

test('positions sort as their message ids, and lead back to them', () => {
  const order = (a: MessageId, b: MessageId) =>
    a.ledgerId - b.ledgerId || a.entryId - b.entryId || a.batchIndex - b.batchIndex;
  fc.assert(
    fc.property(ids, ids, (a, b) => {
      const [first, second] = [positionOf(a), positionOf(b)];
      assert.equal(Math.sign(first < second ? -1 : first > second ? 1 : 0), Math.sign(order(a, b)));
      assert.deepEqual(messageIdOf(first), { ...a, partition: -1 });
    }),
  );
});
