import type { ClientPacket, Level } from '../../functions/mqtt/packets.js';

/** A packet from a client as it is on the wire, and what is to become of it. */
export interface Vector {
  name: string;
  /** null: CONNECT is awaited. */
  level: Level | null;
  /** Read by `bytesOf`. */
  bytes: string;
  expected: ClientPacket | Refused;
}

export interface Refused {
  reasonCode: number;
  clause: string;
  /** Level of the answer, where it is not that of the vector. */
  answer?: Level | null;
}

export function isRefused(expected: Vector['expected']): expected is Refused {
  return 'clause' in expected;
}

/** Hex digits, and text in single quotes as it is: `10 02 'MQ'`. */
export function bytesOf(text: string): Buffer {
  const parts = text.match(/'[^']*'|[0-9a-f]{2}/g) ?? [];
  return Buffer.concat(
    parts.map((part) => (part.startsWith("'") ? Buffer.from(part.slice(1, -1)) : Buffer.from(part, 'hex'))),
  );
}

/** The packet with this first byte (in hex) and this body: puts the Remaining Length between them. */
export function packetOf(first: string, body: string): string {
  const { length } = bytesOf(body);
  const [low, high] = [length & 0x7f, length >> 7];
  return `${first} ${high === 0 ? hex(low) : `${hex(low | 0x80)} ${hex(high)}`} ${body}`;
}

/** A string or binary field: two bytes of length, then the text. */
export function field(text: string): string {
  const { length } = Buffer.from(text);
  return `${hex(length >> 8)} ${hex(length & 0xff)} '${text}'`;
}

/** A property block with its length. */
export function block(properties: string): string {
  return `${hex(bytesOf(properties).length)} ${properties}`;
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
