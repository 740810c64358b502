import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromBase64, toBase64 } from '../../functions/dialect/base64.js';
import {
  clientFrame,
  FRAME_MAX_BYTES,
  FRAME_MAX_CHARACTERS,
  parseClientFrame,
} from '../../functions/dialect/client-frame.js';
import { parseServerFrame, type ServerFrame, serverFrame } from '../../functions/dialect/server-frame.js';

const bytes = fc.uint8Array({ maxLength: 300 });
const number = fc.integer({ min: 1, max: 999_999_999 });
const token = fc.stringMatching(/^[\w.=-]{1,60}$/);

test('base64 is what Node has, both ways, and nothing else is taken', () => {
  fc.assert(
    fc.property(fc.oneof(bytes, fc.uint8Array({ minLength: 9_000, maxLength: 20_000 })), (some) => {
      const text = Buffer.from(some).toString('base64');
      assert.equal(toBase64(some), text);
      assert.deepEqual(fromBase64(text), new Uint8Array(some));
    }),
    { numRuns: 200 },
  );
  fc.assert(
    fc.property(fc.string({ maxLength: 12 }), (text) => {
      const found = fromBase64(text);
      if (found !== null) assert.equal(Buffer.from(found).toString('base64'), text);
    }),
  );
  for (const text of ['A', 'AA', 'AAA', 'AA==A', 'AB==', 'AAB=', '====', 'A===', 'é===', 'AAAA\n']) {
    assert.equal(fromBase64(text), null, text);
  }
});

test('frames of the client half come back as they were', () => {
  fc.assert(
    fc.property(fc.record({ number, bytes, isPart: fc.boolean() }), (frame) => {
      const back = parseClientFrame(clientFrame(frame));
      assert.deepEqual(back, { ...frame, bytes: new Uint8Array(frame.bytes) });
    }),
  );
  for (const text of ['', ':', '0:', '01:', '7', '7:A', '7++:', '-7:', '7 :', ' 7:', '7:AAEC;x', '{"message":"x"}']) {
    assert.equal(parseClientFrame(text), null, text);
  }
});

test('the largest frame fits the gateway', () => {
  const frame = { number: 999_999_999_999_999, bytes: new Uint8Array(FRAME_MAX_BYTES), isPart: true };
  assert.ok(clientFrame(frame).length <= FRAME_MAX_CHARACTERS);
});

test('frames of the server come back as they were', () => {
  const frame: fc.Arbitrary<ServerFrame> = fc.oneof(
    fc.record({ type: fc.constant('answer' as const), number, bytes }),
    fc.record({ type: fc.constant('answer' as const), number, bytes, token }),
    fc.record({ type: fc.constant('last-answer' as const), number, bytes }),
    fc.record({ type: fc.constant('worker' as const), epoch: number, number, bytes }),
    fc.record({
      type: fc.constant('refusal' as const),
      why: fc.constantFrom('unknown', 'unavailable', 'malformed', 'too-large'),
    }),
  );
  fc.assert(
    fc.property(frame, (one) => {
      const expected = { ...one, ...('bytes' in one && { bytes: new Uint8Array(one.bytes) }) };
      assert.deepEqual(parseServerFrame(serverFrame(one)), expected);
    }),
  );
});

test('what is not of the dialect is none of its frames', () => {
  const json = '{"message": "Internal server error", "connectionId":"L0SM9cOFvHcCIhw=", "requestId":"x"}';
  for (const text of ['', '!', '!whatever', 'w1:AA==', 'w1.0:', 'w1.1:A', '1!:AA==;x', '1:AA==;', '1:AA==;a b', json]) {
    assert.equal(parseServerFrame(text), null, text);
  }
});
