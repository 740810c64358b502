import { type ClientFrame, FRAME_MAX_BYTES } from './client-frame.js';
import { CONNECT, concatenated, NOTHING, PINGREQ, packetLength } from './packets.js';

/** What the client half has to send: the stream that its user writes, cut into packets and those into frames. Plain data. */
export interface Outbox {
  /** The beginning of a packet that is not written in full. */
  partial: Uint8Array;
  packets: Uint8Array[];
  /** What is left of a packet of which parts were sent. */
  remainder: Uint8Array | null;
  /** The one frame that has no answer yet. */
  inFlight: ClientFrame | null;
  /** Of the last frame. */
  number: number;
  /** Written and not answered. */
  bytes: number;
  /** From CONNECT: 3, 4 or 5; 0 before it. */
  level: number;
}

/** How many PINGREQs the client half is to answer itself; -1: what was written is not MQTT. */
export type Written = number;

export function newOutbox(): Outbox {
  return { partial: NOTHING, packets: [], remainder: null, inFlight: null, number: 0, bytes: 0, level: 0 };
}

/**
 * Takes bytes as they are written, packets cut anywhere. Below MQTT 5 there is no Server Keep Alive by which the server could ask
 * for fewer PINGREQs, so those are not sent but counted.
 */
export function write(outbox: Outbox, bytes: Uint8Array): Written {
  outbox.bytes += bytes.length;
  let pings = 0;
  let rest = outbox.partial.length === 0 ? bytes : concatenated([outbox.partial, bytes]);
  for (;;) {
    const length = packetLength(rest);
    if (length !== null && length < 0) return -1;
    if (length === null || length > rest.length) break;
    const packet = rest.subarray(0, length);
    rest = rest.subarray(length);
    if (packet[0] === CONNECT) outbox.level = levelOf(packet);
    if (packet[0] === PINGREQ && outbox.level < 5) {
      pings += 1;
      outbox.bytes -= length;
    } else {
      outbox.packets.push(packet);
    }
  }
  outbox.partial = rest;
  return pings;
}

/** Whether nothing is left that could be sent; a packet that was not written in full cannot. */
export function isSent({ packets, remainder, inFlight }: Outbox): boolean {
  return packets.length === 0 && remainder === null && (inFlight === null || inFlight.bytes.length === 0);
}

/** Puts the next frame in flight: all packets that fit, or a part of one that does not. False where there is nothing. */
export function nextFrame(outbox: Outbox): boolean {
  const { packets, remainder } = outbox;
  const packet = remainder ?? packets[0];
  if (packet === undefined) return false;
  if (remainder === null && packet.length <= FRAME_MAX_BYTES) {
    fly(outbox, takePackets(outbox), false);
    return true;
  }
  // Alone: the server bounds a message of several frames as it bounds a packet.
  if (remainder === null) packets.shift();
  const isPart = packet.length > FRAME_MAX_BYTES;
  outbox.remainder = isPart ? packet.subarray(FRAME_MAX_BYTES) : null;
  fly(outbox, packet.subarray(0, FRAME_MAX_BYTES), isPart);
  return true;
}

export function putHeartbeat(outbox: Outbox): void {
  // Between two parts it would be taken for the last.
  if (!nextFrame(outbox)) fly(outbox, NOTHING, false);
}

/** The answer to the frame in flight has come. */
export function landed(outbox: Outbox): void {
  outbox.bytes -= outbox.inFlight?.bytes.length ?? 0;
  outbox.inFlight = null;
}

/** The byte after the fixed header and the protocol name (section 3.1.2 of every level). */
function levelOf(connect: Uint8Array): number {
  let at = 1;
  while (connect[at]! >= 0x80) at += 1;
  const name = (connect[at + 1]! << 8) | connect[at + 2]!;
  return connect[at + 3 + name] ?? 0;
}

function takePackets({ packets }: Outbox): Uint8Array {
  let bytes = 0;
  let count = 0;
  while (count < packets.length && bytes + packets[count]!.length <= FRAME_MAX_BYTES) {
    bytes += packets[count]!.length;
    count += 1;
  }
  return concatenated(packets.splice(0, count));
}

function fly(outbox: Outbox, bytes: Uint8Array, isPart: boolean): void {
  outbox.number += 1;
  outbox.inFlight = { number: outbox.number, bytes, isPart };
}
