import assert from 'node:assert/strict';
import type { Answer } from './malformed-standard.js';

/** Reads all that a server said before it closed, by hand: it must be that one packet, or nothing. */
export function assertAnswer(said: Buffer, expected: Answer, about: string): void {
  const text = `${about}: the server said ${said.toString('hex') || 'nothing'}`;
  if (expected.packet === 'none') return assert.equal(said.length, 0, text);
  const isConnack = expected.packet === 'connack';
  const head = isConnack ? [0x20, said.length - 2, 0, expected.reason] : [0xe0, said.length - 2, expected.reason];
  assert.deepEqual([...said.subarray(0, head.length)], head, text);
  const properties = said.subarray(head.length);
  if (expected.level < 5) return assert.equal(properties.length, 0, text);
  // Only a Reason String may follow, and DISCONNECT may leave even the Property Length out.
  if (properties.length === 0) return assert.ok(!isConnack, text);
  assert.equal(properties[0], properties.length - 1, text);
  if (properties.length > 1)
    assert.deepEqual([properties[1], properties.readUInt16BE(2)], [0x1f, properties.length - 4], text);
}
