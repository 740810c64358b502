import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Log, LogRecord } from '../../../functions/ports/log.js';
import { transports } from './transports.js';

/** As Pulsar has them by default. */
const MESSAGE_MAX_BYTES = 5 * 1024 * 1024;
const FRAME_MAX_BYTES = 1024 * 1024;

for (const { name, open } of await transports()) {
  describe(`pulsar, ${name}: the largest record`, () => {
    const isNative = name === 'native client';

    it('is taken, one byte more is refused, and what comes after it is taken', async () => {
      const log = await open();
      const topic = `sizes-${process.pid}-${isNative}`;
      // The native client counts what goes with the payload, as it is on the wire: how much that is, it says by refusing.
      const about = isNative ? MESSAGE_MAX_BYTES - (await largestTaken(log, topic)) : 0;
      const largest = isNative ? recordOf(MESSAGE_MAX_BYTES - about) : frameOf(FRAME_MAX_BYTES);
      const over = isNative ? recordOf(MESSAGE_MAX_BYTES - about + 1) : frameOf(FRAME_MAX_BYTES + 1);
      assert.ok(about < 200);
      const { partition, position } = await log.append(`${topic}-once`, largest);
      await assert.rejects(log.append(`${topic}-once`, over), { code: 'too-large' });
      await isTaken(log, `${topic}-once`);
      const entries = await log.history(partition, 'earliest', 10);
      assert.equal(entries[0]?.position, position);
      assert.deepEqual(
        entries.map(({ record }) => record.payload.length),
        [largest.payload.length, 1],
      );
      await log.close();
    });

    it('is refused where key and properties make it too large, and others are not held up', async () => {
      const log = await open();
      const topic = `sizes-${process.pid}-${isNative}-about`;
      const large = { ...recordOf(isNative ? MESSAGE_MAX_BYTES : 700_000), properties: { p: 'x'.repeat(200_000) } };
      await Promise.all([assert.rejects(log.append(topic, large), { code: 'too-large' }), isTaken(log, topic)]);
      await isTaken(log, topic);
      await log.close();
    });
  });
}

/** Bytes of payload, by bisection. */
async function largestTaken(log: Log, topic: string): Promise<number> {
  let [taken, refused] = [MESSAGE_MAX_BYTES - 256, MESSAGE_MAX_BYTES + 1];
  while (refused - taken > 1) {
    const bytes = Math.floor((taken + refused) / 2);
    const isTaken = await log.append(topic, recordOf(bytes)).then(
      () => true,
      () => false,
    );
    if (isTaken) taken = bytes;
    else refused = bytes;
  }
  return taken;
}

async function isTaken(log: Log, topic: string): Promise<void> {
  await log.append(topic, recordOf(1));
}

function recordOf(bytes: number): LogRecord {
  return { key: 'k', payload: Buffer.alloc(bytes, 'x'), properties: {} };
}

/** What takes a frame of so many bytes on its way to Pulsar: in JSON, with the payload in base64, as the first of its connection. */
function frameOf(bytes: number): LogRecord {
  const payload = Buffer.alloc(Math.floor((bytes - 1_000) / 4) * 3);
  const frame = { payload: payload.toString('base64'), key: 'k', properties: { fill: '' }, context: '1' };
  const fill = 'x'.repeat(bytes - JSON.stringify(frame).length);
  return { key: 'k', payload, properties: { fill } };
}
