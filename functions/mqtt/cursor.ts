import { REASON, type Refusal, refusal } from './reason-codes.js';
import { checkUtf8 } from './utf8.js';

/** The bytes between two offsets of a field, without its length. */
export interface Span {
  start: number;
  end: number;
}

/**
 * Reads the data types of MQTT 5.0 section 1.5 off the bytes up to `end`, and never beyond. The first problem is kept in
 * `refusal`; from then on there is nothing left to read and every value is 0 or empty, so callers may ask once, at the end.
 */
export class Cursor {
  readonly bytes: Buffer;
  at: number;
  end: number;
  refusal: Refusal | null = null;

  constructor(bytes: Buffer, at: number, end: number) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  refuse(reasonCode: number, clause: string, text: string): void {
    this.fail(refusal(reasonCode, clause, text));
  }

  /** Takes a judgement: null changes nothing. */
  fail(why: Refusal | null): void {
    if (why === null) return;
    this.refusal ??= why;
    this.at = this.end;
  }

  byte(): number {
    const at = this.at;
    return this.skip(1, 'section 1.5.1') ? this.bytes[at]! : 0;
  }

  uint16(): number {
    const at = this.at;
    return this.skip(2, 'section 1.5.2') ? (this.bytes[at]! << 8) | this.bytes[at + 1]! : 0;
  }

  uint32(): number {
    const at = this.at;
    return this.skip(4, 'section 1.5.3') ? this.bytes.readUInt32BE(at) : 0;
  }

  varint(): number {
    const found = readVarint(this.bytes, this.at, this.end);
    if (found === 'more') this.refuse(REASON.malformedPacket, 'section 1.5.5', 'the packet ends within a number');
    else if ('clause' in found) this.fail(found);
    else this.at += found.bytes;
    return this.refusal === null ? (found as Varint).value : 0;
  }

  /** Binary Data, section 1.5.6: where its bytes are. */
  binary(clause = 'section 1.5.6'): Span {
    const length = this.uint16();
    const start = this.at;
    return this.skip(length, clause) ? { start, end: start + length } : { start, end: start };
  }

  /** A UTF-8 Encoded String, section 1.5.4, checked: where its bytes are. */
  stringSpan(): Span {
    const span = this.binary('section 1.5.4');
    const problem = checkUtf8(this.bytes, span.start, span.end);
    if (problem !== null) this.fail(problem);
    return span;
  }

  /** The same as text; a U+FEFF in front is kept [MQTT-1.5.4-3]. */
  string(): string {
    const { start, end } = this.stringSpan();
    return this.refusal === null ? this.bytes.toString('utf8', start, end) : '';
  }

  private skip(length: number, clause: string): boolean {
    if (this.at + length <= this.end) {
      this.at += length;
      return true;
    }
    this.refuse(REASON.malformedPacket, clause, 'a field reaches beyond the end of the packet or of its properties');
    return false;
  }
}

export interface Varint {
  value: number;
  /** How many bytes it took, 1 to 4. */
  bytes: number;
}

const TOO_LONG = refusal(REASON.malformedPacket, 'MQTT-1.5.5-1', 'a number takes more than four bytes');
const NOT_SHORTEST = refusal(REASON.malformedPacket, 'MQTT-1.5.5-1', 'a number takes more bytes than it needs');

/** A Variable Byte Integer, section 1.5.5; 'more' where `end` comes first. */
export function readVarint(bytes: Uint8Array, start: number, end: number): Varint | Refusal | 'more' {
  let value = 0;
  for (let count = 0; count < 4; count += 1) {
    if (start + count >= end) return 'more';
    const byte = bytes[start + count]!;
    value |= (byte & 0x7f) << (7 * count);
    if (byte < 0x80) return byte === 0 && count > 0 ? NOT_SHORTEST : { value, bytes: count + 1 };
  }
  return TOO_LONG;
}
