import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PortError } from '../../functions/ports/errors.js';
import type { Log } from '../../functions/ports/log.js';
import type { Store } from '../../functions/ports/store.js';
import { Publisher } from '../../functions/runtime/publisher.js';
import { Routes } from '../../functions/topics/routes.js';

const publication = {
  topic: 'a',
  payload: Buffer.from('x'),
  qos: 2,
  retain: true,
  publisher: 'c',
  publishedAtMs: 0,
} as const;

function publisherOn(log: Partial<Log>, retained: Partial<Store['retained']>): Publisher {
  return new Publisher({
    log: log as Log,
    store: { retained: retained as Store['retained'] },
    routes: new Routes(),
    discover: () => null,
  });
}

test('a retained publication whose row was refused is in doubt, for it is in the log (simulation, seed 1388)', async () => {
  const publisher = publisherOn(
    { append: async () => ({ partition: 'mqtt', position: '1' }) },
    { put: async () => Promise.reject(new PortError('full', 'no room')) },
  );
  await assert.rejects(publisher.publish(publication), { code: 'unavailable' });
});

test('one that the log refused has no row, and says what the log said', async () => {
  let rows = 0;
  const publisher = publisherOn(
    { append: async () => Promise.reject(new PortError('full', 'no room')) },
    { put: async () => ++rows > 0 },
  );
  await assert.rejects(publisher.publish(publication), { code: 'full' });
  assert.equal(rows, 0);
});
