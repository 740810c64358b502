import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as base64 from '../../functions/dialect/base64.js';
import {
  clientFrame,
  FRAME_MAX_BYTES,
  FRAME_MAX_CHARACTERS,
  parseClientFrame,
} from '../../functions/dialect/client-frame.js';
import * as serverBase64 from '../../functions/dialect/server-base64.js';
import { parseServerFrame, type ServerFrame, serverFrame } from '../../functions/dialect/server-frame.js';
import { CLIENT_FRAMES, NO_CLIENT_FRAMES, NO_SERVER_FRAMES, SERVER_FRAMES } from './vectors.js';

const bytes = fc.uint8Array({ maxLength: 300 });
const number = fc.integer({ min: 1, max: 999_999_999 });
const token = fc.stringMatching(/^[\w.=-]{1,60}$/);

for (const [half, { fromBase64, toBase64 }] of Object.entries({ client: base64, server: serverBase64 })) {
  test(`base64 of the ${half} half is what Node has, both ways, and nothing else is taken`, () => {
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
}

test('frames of the client half come back as they were', () => {
  const seen = fc.record({ epoch: number, number }, { noNullPrototype: true });
  const frame = fc.oneof(
    fc.record({ number, bytes, isPart: fc.constant(false) }),
    fc.record({ number, bytes, isPart: fc.constant(false), seen }),
    fc.record({ number, bytes: fc.uint8Array({ minLength: 1, maxLength: 300 }), isPart: fc.constant(true), seen }),
  );
  fc.assert(
    fc.property(frame, (one) => {
      assert.deepEqual(parseClientFrame(clientFrame(one)), { ...one, bytes: new Uint8Array(one.bytes) });
    }),
  );
});

test('the largest frame fits the gateway', () => {
  const largest = 999_999_999_999_999;
  const seen = { epoch: largest, number: largest };
  const text = clientFrame({ number: largest, bytes: new Uint8Array(FRAME_MAX_BYTES), isPart: true, seen });
  assert.ok(text.length <= FRAME_MAX_CHARACTERS);
  assert.equal(typeof parseClientFrame(text), 'object');
});

test('frames of the server come back as they were', () => {
  const frame: fc.Arbitrary<ServerFrame> = fc.oneof(
    fc.record({ type: fc.constant('answer' as const), number, bytes }),
    fc.record({ type: fc.constant('answer' as const), number, bytes, token }),
    fc.record({ type: fc.constant('last-answer' as const), number, bytes }),
    fc.record({ type: fc.constant('worker' as const), epoch: number, number, bytes }),
    fc.record({
      type: fc.constant('refusal' as const),
      why: fc.constantFrom('unknown', 'unavailable', 'malformed', 'too-large', 'resume'),
    }),
  );
  fc.assert(
    fc.property(frame, (one) => {
      const expected = { ...one, ...('bytes' in one && { bytes: new Uint8Array(one.bytes) }) };
      assert.deepEqual(parseServerFrame(serverFrame(one)), expected);
    }),
  );
});

test('both halves read and write the worked bytes', () => {
  for (const { text, frame } of CLIENT_FRAMES) {
    assert.deepEqual(parseClientFrame(text), frame);
    assert.equal(clientFrame(frame), text);
  }
  for (const { text, frame } of SERVER_FRAMES) {
    assert.deepEqual(parseServerFrame(text), frame);
    assert.equal(serverFrame(frame), text);
  }
});

test('what is no frame is one of few problems', () => {
  for (const [text, problem] of NO_CLIENT_FRAMES) assert.equal(parseClientFrame(text), problem, text.slice(0, 40));
  for (const [text, problem] of NO_SERVER_FRAMES) assert.equal(parseServerFrame(text), problem, text);
  const problems = ['head', 'base64', 'too-long', 'empty-part', 'token', 'word'];
  const near = fc.stringMatching(/^[w!]?\d{0,3}[.+@!:]{0,2}\d{0,2}[:;]?[A-Za-z=]{0,9}$/);
  fc.assert(
    fc.property(fc.oneof(near, fc.string()), (text) => {
      const [client, server] = [parseClientFrame(text), parseServerFrame(text)];
      // One text for one frame: what is taken is written the same.
      if (typeof client === 'string') assert.ok(problems.includes(client));
      else assert.equal(clientFrame(client), text);
      if (typeof server === 'string') assert.ok(problems.includes(server));
      else assert.equal(serverFrame(server), text);
    }),
    { numRuns: 2_000 },
  );
});
