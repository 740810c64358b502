/** As much of MQTT as the client half must know: where packets end (section 2.1 of both standards), and these first bytes. */
export const CONNECT = 0x10;
export const CONNACK = 0x20;
export const PINGREQ = 0xc0;
export const PINGRESP = 0xd0;

export const NOTHING = new Uint8Array(0);

/** Length of the packet that begins at `at`; null: its fixed header is not there in full; -1: there is no such packet. */
export function packetLength(bytes: Uint8Array, at = 0): number | null {
  let value = 0;
  for (let count = 0; count < 4; count += 1) {
    const byte = bytes[at + 1 + count];
    if (byte === undefined) return null;
    value |= (byte & 0x7f) << (7 * count);
    if (byte < 0x80) return 2 + count + value;
  }
  return -1;
}

/** Bytes of the whole packets at the beginning; -1: it is not MQTT. */
export function wholePackets(bytes: Uint8Array): number {
  let at = 0;
  for (;;) {
    const length = packetLength(bytes, at);
    if (length !== null && length < 0) return -1;
    if (length === null || at + length > bytes.length) return at;
    at += length;
  }
}

export function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const all = new Uint8Array(parts.reduce((bytes, part) => bytes + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
