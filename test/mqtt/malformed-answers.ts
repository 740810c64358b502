import assert from 'node:assert/strict';
import { SECRET } from './malformed-properties.js';
import type { Answer } from './malformed-standard.js';

/** Reads all that a server said before it closed, by hand: it must be that one packet, or nothing. */
export function assertAnswer(said: Buffer, expected: Answer, about: string): void {
  const text = `${about}: the server said ${said.toString('hex') || 'nothing'}`;
  if (expected.packet === 'none') return assert.equal(said.length, 0, text);
  const isConnack = expected.packet === 'connack';
  const [first, body] = [said[0], bodyOf(said)];
  assert.ok(body !== undefined && first === (isConnack ? 0x20 : 0xe0), text);
  // A refusal has no session present [MQTT-3.2.2-6].
  const head = isConnack ? [0, expected.reason] : [expected.reason];
  assert.deepEqual([...body.subarray(0, head.length)], head, text);
  const rest = body.subarray(head.length);
  if (expected.level < 5) return assert.equal(rest.length, 0, text);
  // DISCONNECT may leave even the Property Length out (section 3.14.2.2.1), and a Reason String is all that may stand there.
  if (rest.length === 0) return assert.ok(!isConnack, text);
  assertReasonString(rest, text);
}

/** What the Remaining Length counts, if that is all there is. */
function bodyOf(packet: Buffer): Buffer | undefined {
  const lengthBytes = packet.subarray(1).findIndex((octet) => octet < 0x80) + 1;
  const length = packet.subarray(1, 1 + lengthBytes).reduce((sum, octet, at) => sum + (octet & 0x7f) * 128 ** at, 0);
  const body = packet.subarray(1 + lengthBytes);
  return lengthBytes > 0 && body.length === length ? body : undefined;
}

function assertReasonString(properties: Buffer, text: string): void {
  const content = bodyOf(Buffer.concat([Buffer.of(0), properties]));
  assert.ok(content !== undefined, text);
  if (content.length === 0) return;
  assert.deepEqual([content[0], content.readUInt16BE(1)], [0x1f, content.length - 3], text);
  assert.ok(!content.includes(SECRET), text);
}
