/**
 * Bytes of MQTT written from the standard alone. Nothing here comes from `functions/`, so that a mistake made twice there,
 * in reading and in writing, does not confirm itself.
 */

/** Data types of MQTT 5.0 section 1.5, and what the standard calls the fields that are more than their type. */
export type PartKind =
  | 'byte'
  | 'uint16'
  | 'packetId'
  | 'string'
  | 'filter'
  | 'binary'
  | 'connectFlags'
  | 'options'
  | 'reason'
  | 'properties'
  | 'payload';

export interface Part {
  name: string;
  kind: PartKind;
  bytes: Buffer;
}

export function byte(value: number): Buffer {
  return Buffer.of(value);
}

export function uint16(value: number): Buffer {
  return Buffer.of(value >> 8, value & 0xff);
}

export function uint32(value: number): Buffer {
  return Buffer.of(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
}

/** A Variable Byte Integer; `extra` appends that many bytes which the value does not need. */
export function varint(value: number, extra = 0): Buffer {
  const octets: number[] = [];
  for (let rest = value; octets.length === 0 || rest > 0; rest = Math.floor(rest / 128)) octets.push(rest % 128);
  octets.push(...Array<number>(extra).fill(0));
  return Buffer.from(octets.map((octet, at) => (at < octets.length - 1 ? octet + 128 : octet)));
}

/** A UTF-8 Encoded String or Binary Data: the length, which may be a lie, then the bytes. */
export function lengthed(content: string | Buffer, length?: number): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([uint16(length ?? bytes.length), bytes]);
}

export function wire(first: number, body: Buffer, extraLengthBytes = 0): Buffer {
  return Buffer.concat([byte(first), varint(body.length, extraLengthBytes), body]);
}

export function join(parts: readonly Part[]): Buffer {
  return Buffer.concat(parts.map(({ bytes }) => bytes));
}

/** What a packet is called in a case's name: `c0 00`. */
export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('hex')
    .replace(/(..)(?=.)/g, '$1 ');
}
