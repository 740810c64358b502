const TYPE_AND_LENGTH_MIN_BYTES = 2;

/** Where one packet is: it begins with the fixed header at `start`; what the Remaining Length counts is `body` to `end`. */
export type OnPacket = (bytes: Buffer, start: number, body: number, end: number) => void;

/** Cuts what a server sends, in pieces of any size, into packets. It trusts the server: lengths are not checked. */
export class PacketSplitter {
  readonly #onPacket: OnPacket;
  #rest: Buffer = Buffer.alloc(0);

  constructor(onPacket: OnPacket) {
    this.#onPacket = onPacket;
  }

  add(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let start = 0;
    while (bytes.length - start >= TYPE_AND_LENGTH_MIN_BYTES) {
      let body = start + 1;
      let remaining = 0;
      let shift = 0;
      let octet: number;
      do {
        // Past the end this is 0, which ends the loop; the packet is then seen to be incomplete.
        octet = bytes[body] ?? 0;
        remaining |= (octet & 0x7f) << shift;
        shift += 7;
        body += 1;
      } while (octet & 0x80);
      const end = body + remaining;
      if (end > bytes.length) break;
      this.#onPacket(bytes, start, body, end);
      start = end;
    }
    this.#rest = bytes.subarray(start);
  }
}
