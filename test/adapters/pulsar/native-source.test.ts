import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NativeConsumer, NativeMessage } from '../../../functions/adapters/pulsar/native/client.js';
import { NativeConsumerSource } from '../../../functions/adapters/pulsar/native/consumer-source.js';

const MESSAGE_BYTES = 1024 * 1024;
const BATCH = 8;

test('large messages are not taken from the client by the thousand ahead of who reads them', async () => {
  let taken = 0;
  let isClosed = false;
  let askedTooLate = 0;
  const message = (): NativeMessage => {
    taken += 1;
    const entryId = taken;
    return {
      getProperties: () => ({}),
      getData: () => Buffer.alloc(MESSAGE_BYTES),
      getPublishTimestamp: () => 0,
      getPartitionKey: () => 'k',
      getMessageId: () => `(1,${entryId},-1,-1)`,
    };
  };
  const soon = () => new Promise((resolve) => setImmediate(resolve));
  const consumer = {
    receive: async () => {
      if (isClosed) askedTooLate += 1;
      return message();
    },
    batchReceive: async () => {
      await soon();
      return Array.from({ length: BATCH }, message);
    },
    isConnected: () => true,
    close: async () => null,
    unsubscribe: async () => null,
  } as unknown as NativeConsumer;
  const source = new NativeConsumerSource('p', consumer);
  const most = 16 + 2 * BATCH;
  let read = 0;
  for (let round = 0; round < 20; round += 1) {
    for (let i = 0; i < 50; i += 1) await soon();
    assert.ok(taken - read <= most, `${taken - read} messages of 1 MiB ahead`);
    read += (await source.next(5)).length;
  }
  assert.equal(read, 100);
  isClosed = true;
  await source.close();
  for (let i = 0; i < 50; i += 1) await soon();
  assert.equal(askedTooLate, 0, 'a consumer that is closed would never answer, and keep the process');
});
