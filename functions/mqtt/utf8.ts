import { REASON, type Refusal, refusal } from './reason-codes.js';

const NULL_CHARACTER = refusal(REASON.malformedPacket, 'MQTT-1.5.4-2', 'a string holds the null character U+0000');
const ILL_FORMED = refusal(REASON.malformedPacket, 'MQTT-1.5.4-1', 'a string is not well-formed UTF-8');

/** Only asked whether it throws: strings are made elsewhere. */
const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Checks that `bytes` from `start` up to `end` are a UTF-8 Encoded String of section 1.5.4: well-formed, hence no
 * overlong form and no surrogate, and without U+0000. Returns why not, or null.
 */
export function checkUtf8(bytes: Uint8Array, start: number, end: number): Refusal | null {
  let highest = 0;
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at]!;
    if (byte === 0) return NULL_CHARACTER;
    highest |= byte;
  }
  return highest < 0x80 || isWellFormed(bytes.subarray(start, end)) ? null : ILL_FORMED;
}

function isWellFormed(bytes: Uint8Array): boolean {
  try {
    decoder.decode(bytes);
    return true;
  } catch {
    return false;
  }
}
