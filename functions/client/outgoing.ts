/** First bytes of packets. */
const CONNECT = 0x10;
const PINGREQ = 0xc0;
const PINGRESP = new Uint8Array([0xd0, 0]);
const MQTT_5 = 5;
/** Where a CONNECT has the length of its protocol's name, behind a fixed header of so many bytes. */
const NAME_LENGTH_BYTES = 2;

/**
 * Cuts what an MQTT client writes into packets, however it was cut, so that frames hold whole ones; and answers PINGREQ where
 * the client cannot be told of a longer Keep Alive: before MQTT 5 every minute would cost an invocation.
 */
export class Outgoing {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #answersPings = true;
  readonly #pong: (bytes: Uint8Array) => void;

  constructor(pong: (bytes: Uint8Array) => void) {
    this.#pong = pong;
  }

  /** Bytes of a packet that is not complete. */
  get length(): number {
    return this.#bytes.length;
  }

  /** The packets that are complete with these bytes, those left out that were answered here. */
  take(bytes: Uint8Array): Uint8Array[] {
    const all = this.#bytes.length === 0 ? bytes.slice() : joined([this.#bytes, bytes]);
    const packets: Uint8Array[] = [];
    let from = 0;
    for (;;) {
      const end = packetEnd(all, from);
      if (end === null || end > all.length) break;
      this.#add(all.subarray(from, end), packets);
      from = end;
    }
    this.#bytes = all.slice(from);
    return packets;
  }

  #add(packet: Uint8Array, packets: Uint8Array[]): void {
    if (packet[0] === CONNECT) this.#answersPings = levelOf(packet) < MQTT_5;
    if (packet[0] === PINGREQ && this.#answersPings) this.#pong(PINGRESP);
    else packets.push(packet);
  }
}

export function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Where the packet that begins at `from` ends; null: too little of it is there to know. A length of five bytes is the server's to refuse. */
function packetEnd(bytes: Uint8Array, from: number): number | null {
  let length = 0;
  for (let i = 1; i <= 4; i += 1) {
    const byte = bytes[from + i];
    if (byte === undefined) return null;
    length += (byte & 0x7f) << (7 * (i - 1));
    if (byte < 0x80) return from + i + 1 + length;
  }
  return bytes.length;
}

/** The protocol level of a CONNECT; section 3.1.2. */
function levelOf(connect: Uint8Array): number {
  let at = 1;
  while ((connect[at] ?? 0) >= 0x80) at += 1;
  at += 1;
  const nameLength = ((connect[at] ?? 0) << 8) | (connect[at + 1] ?? 0);
  return connect[at + NAME_LENGTH_BYTES + nameLength] ?? 0;
}
