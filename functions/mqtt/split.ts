import { readVarint } from './cursor.js';
import { firstByteRefusal } from './layouts.js';
import { FIXED_HEADER_MAX_BYTES } from './limits.js';
import { REASON, type Refusal, refusal } from './reason-codes.js';

/** The beginning of a packet that is not there in full, as it came. Plain data. */
export interface Undecoded {
  /** None is empty. */
  chunks: Uint8Array[];
  /** Sum of their lengths. */
  bytes: number;
}

export interface Split {
  /** Whole packets with their fixed headers, in order; views of what came where that is possible. */
  packets: Uint8Array[];
  /** What was not looked at, because there were packets enough. */
  rest: Uint8Array;
  /** Why what follows them is refused; nothing is kept then, and the connection is to be closed. */
  refusal: Refusal | null;
}

export function emptyUndecoded(): Undecoded {
  return { chunks: [], bytes: 0 };
}

/**
 * Cuts a stream into packets, wherever the transport cut it. Adds `chunk`, which is not to change afterwards, to
 * `undecoded`, and takes out the packets that are complete. Each byte is copied a bounded number of times.
 *
 * The fixed header is judged as soon as it can be: a packet of more than `packetMaxBytes` bytes in all is refused with
 * 0x95 before its body is waited for. `firstPacket`: nothing but a CONNECT may come next [MQTT-3.1.0-1].
 * No more than `packetsMax` packets are taken out.
 */
export function split(
  undecoded: Undecoded,
  chunk: Uint8Array,
  packetMaxBytes: number,
  firstPacket = false,
  packetsMax = Number.POSITIVE_INFINITY,
): Split {
  const packets: Uint8Array[] = [];
  let rest = chunk;
  while (rest.length > 0 && packets.length < packetsMax) {
    const header = readHeader(peekHeader(undecoded, rest), packetMaxBytes, firstPacket && packets.length === 0);
    if (header !== 'more' && typeof header !== 'number') {
      clear(undecoded);
      return { packets, rest: NOTHING, refusal: header };
    }
    const missing = header === 'more' ? Number.POSITIVE_INFINITY : header - undecoded.bytes;
    if (rest.length < missing) {
      keep(undecoded, rest);
      rest = NOTHING;
      break;
    }
    packets.push(takePacket(undecoded, rest.subarray(0, missing)));
    rest = rest.subarray(missing);
  }
  return { packets, rest, refusal: null };
}

/** The first bytes of the packet at hand, as many as there are and a fixed header can have. */
function peekHeader(undecoded: Undecoded, rest: Uint8Array): Uint8Array {
  if (undecoded.bytes === 0) return rest;
  if (undecoded.chunks[0]!.length >= FIXED_HEADER_MAX_BYTES) return undecoded.chunks[0]!;
  const header: number[] = [];
  for (const chunk of [...undecoded.chunks.slice(0, FIXED_HEADER_MAX_BYTES), rest]) {
    header.push(...chunk.subarray(0, FIXED_HEADER_MAX_BYTES - header.length));
  }
  return Uint8Array.from(header);
}

/** Length of the whole packet in bytes, or why there is none. */
function readHeader(header: Uint8Array, packetMaxBytes: number, firstPacket: boolean): number | 'more' | Refusal {
  const first = header[0]!;
  const reserved = firstByteRefusal(first, 'any');
  if (reserved !== null) return reserved;
  if (firstPacket && first !== CONNECT_FIRST_BYTE) return NOT_CONNECT;
  const length = readVarint(header, 1, header.length);
  if (length === 'more' || 'clause' in length) return length;
  const bytes = 1 + length.bytes + length.value;
  if (bytes <= packetMaxBytes) return bytes;
  return refusal(
    REASON.packetTooLarge,
    'MQTT-3.2.2-15',
    `a packet of ${bytes} bytes, where ${packetMaxBytes} may come`,
  );
}

const NOTHING = new Uint8Array(0);
const CONNECT_FIRST_BYTE = 0x10;
const NOT_CONNECT = refusal(REASON.protocolError, 'MQTT-3.1.0-1', 'the first packet is not CONNECT');

function takePacket(undecoded: Undecoded, tail: Uint8Array): Uint8Array {
  if (undecoded.bytes === 0) return tail;
  const packet = Buffer.concat([...undecoded.chunks, tail], undecoded.bytes + tail.length);
  clear(undecoded);
  return packet;
}

/** Blocks at least this long are left as they are. */
const BLOCK_BYTES = 64 * 1024;

/**
 * A client may send a large packet byte by byte, and each chunk costs far more memory than a byte. So small chunks are joined,
 * but only with what is not longer than what follows it: a byte is then copied once per doubling of its block.
 */
function keep(undecoded: Undecoded, chunk: Uint8Array): void {
  const { chunks } = undecoded;
  let first = chunks.length;
  let blockBytes = chunk.length;
  while (first > 0 && blockBytes < BLOCK_BYTES && chunks[first - 1]!.length <= blockBytes) {
    first -= 1;
    blockBytes += chunks[first]!.length;
  }
  const joined = chunks.splice(first);
  chunks.push(joined.length === 0 ? chunk : Buffer.concat([...joined, chunk], blockBytes));
  undecoded.bytes += chunk.length;
}

function clear(undecoded: Undecoded): void {
  undecoded.chunks = [];
  undecoded.bytes = 0;
}
