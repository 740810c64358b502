import type { LogRecord } from '../../ports/log.js';
import { crc32 } from './checksum.js';

/**
 * Records appended together, as one LMDB value:
 *
 *     1 byte    format version
 *     4 bytes   CRC-32 of all that follows
 *     8 bytes   time of appending, milliseconds since the epoch, double
 *     4 bytes   number of records
 *     then each record: key, payload, number of properties, name and value of each
 *
 * Fixed numbers are big-endian. Texts (UTF-8) and the payload have their length in bytes in front; lengths and the number of
 * properties are written seven bits to a byte, least significant first, the high bit set on all but the last (LEB128).
 */
const FORMAT_VERSION = 1;
const CRC_OFFSET = 1;
const TIME_OFFSET = 5;
const COUNT_OFFSET = 13;
const HEADER_BYTES = 17;
const VARINT_MAX_BYTES = 5;
const INITIAL_BYTES = 16 * 1024;
/** A writer that grew beyond this gives its memory back when reused. */
const KEPT_MAX_BYTES = 1024 * 1024;

export interface RecordBatch {
  appendedAtMs: number;
  records: LogRecord[];
}

export class BatchWriter {
  private buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  private end = HEADER_BYTES;
  private count = 0;

  get bytes(): number {
    return this.end;
  }

  /** Copies the record in; returns the bytes it took. */
  add(record: LogRecord): number {
    const start = this.end;
    this.text(record.key);
    this.reserve(record.payload.length + VARINT_MAX_BYTES);
    this.varint(record.payload.length);
    this.buffer.set(record.payload, this.end);
    this.end += record.payload.length;
    const { properties } = record;
    const names = Object.keys(properties);
    this.reserve(VARINT_MAX_BYTES);
    this.varint(names.length);
    for (const name of names) {
      this.text(name);
      this.text(properties[name]!);
    }
    this.count += 1;
    return this.end - start;
  }

  /** Takes back the record added last; `bytes` is what `add` returned for it. */
  undo(bytes: number): void {
    this.end -= bytes;
    this.count -= 1;
  }

  /** The value; valid until `reset`. */
  finish(appendedAtMs: number): Buffer {
    const value = this.buffer.subarray(0, this.end);
    value[0] = FORMAT_VERSION;
    value.writeDoubleBE(appendedAtMs, TIME_OFFSET);
    value.writeUInt32BE(this.count, COUNT_OFFSET);
    value.writeUInt32BE(crc32(value.subarray(TIME_OFFSET)), CRC_OFFSET);
    return value;
  }

  reset(): void {
    if (this.buffer.length > KEPT_MAX_BYTES) this.buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
    this.end = HEADER_BYTES;
    this.count = 0;
  }

  private text(value: string): void {
    const bytesMax = value.length * 3;
    this.reserve(bytesMax + VARINT_MAX_BYTES);
    if (bytesMax < 0x80) {
      // The length takes one byte whatever it turns out to be: no need to count first.
      const written = this.buffer.write(value, this.end + 1);
      this.buffer[this.end] = written;
      this.end += 1 + written;
    } else {
      this.varint(Buffer.byteLength(value));
      this.end += this.buffer.write(value, this.end);
    }
  }

  private varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.buffer[this.end++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.buffer[this.end++] = rest;
  }

  private reserve(bytes: number): void {
    if (this.end + bytes <= this.buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, this.end + bytes));
    this.buffer.copy(larger, 0, 0, this.end);
    this.buffer = larger;
  }
}

/** Payloads share the value's memory. Throws where it is damaged or of an unknown version. */
export function decodeBatch(value: Buffer): RecordBatch {
  if (value.length < HEADER_BYTES) throw new Error(`a batch of ${value.length} bytes`);
  if (value[0] !== FORMAT_VERSION) throw new Error(`a batch of format version ${value[0]}`);
  if (value.readUInt32BE(CRC_OFFSET) !== crc32(value.subarray(TIME_OFFSET)))
    throw new Error('a batch whose checksum is wrong');
  const reader = new FieldReader(value, HEADER_BYTES);
  const records: LogRecord[] = [];
  for (let left = value.readUInt32BE(COUNT_OFFSET); left > 0; left--) {
    const key = reader.text();
    const payload = reader.bytes();
    const properties: Record<string, string> = {};
    for (let more = reader.varint(); more > 0; more--) {
      const name = reader.text();
      // Not an assignment: '__proto__' is a name like any other.
      if (name === '__proto__') Object.defineProperty(properties, name, { ...PLAIN, value: reader.text() });
      else properties[name] = reader.text();
    }
    records.push({ key, payload, properties });
  }
  return { appendedAtMs: value.readDoubleBE(TIME_OFFSET), records };
}

/** Without looking at the records. */
export function batchTimeMs(value: Buffer): number {
  return value.readDoubleBE(TIME_OFFSET);
}

const PLAIN = { configurable: true, enumerable: true, writable: true };

class FieldReader {
  constructor(
    private readonly value: Buffer,
    private position: number,
  ) {}

  text(): string {
    const start = this.skip(this.varint());
    return this.value.toString('utf8', start, this.position);
  }

  bytes(): Buffer {
    const start = this.skip(this.varint());
    return this.value.subarray(start, this.position);
  }

  varint(): number {
    let result = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.value[this.position++]!;
      result |= (byte & 0x7f) << shift;
      if (byte < 0x80) return result >>> 0;
    }
  }

  private skip(bytes: number): number {
    const start = this.position;
    this.position += bytes;
    return start;
  }
}
