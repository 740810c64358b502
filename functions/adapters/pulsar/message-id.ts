import { PortError } from '../../ports/errors.js';
import type { Position } from '../../ports/log.js';

/** What Pulsar calls a message id, as far as it says where: `MessageIdData` of Pulsar's protocol. */
export interface MessageId {
  ledgerId: number;
  /** -1 stands before the first entry of its ledger. */
  entryId: number;
  /** -1: the topic is not partitioned. */
  partition: number;
  /** Place in the batch that the entry holds; 0 where the entry is one message. */
  batchIndex: number;
}

/** Field numbers of `MessageIdData`; what else it has (sizes, acknowledgement sets, the first chunk) is passed over. */
const LEDGER_ID = 1;
const ENTRY_ID = 2;
const PARTITION = 3;
const BATCH_INDEX = 4;

const VARINT_BYTES_MAX = 10;

/** Hexadecimal digits: together they hold every number that JavaScript counts exactly, and more messages than a batch has. */
const LEDGER_DIGITS = 14;
const ENTRY_DIGITS = 10;
const BATCH_DIGITS = 6;
/** In place of an entry's text, where Pulsar does not say which entry. */
export const NO_ENTRY = '';
const FORM = /^[0-9a-f]{30}$/;
/** Made once: every message has one. */
const USUAL_BATCH_INDEXES = Array.from({ length: 1_000 }, (_, index) => hex(index, BATCH_DIGITS));

/** Ledger, entry and batch index, of fixed width: sorts as text in log order. */
export function positionOf(id: MessageId): Position {
  return positionIn(entryTextOf(id), id.batchIndex);
}

/** With what all positions in one entry begin. */
export function entryTextOf({ ledgerId, entryId }: Pick<MessageId, 'ledgerId' | 'entryId'>): string {
  if (ledgerId < 0) return NO_ENTRY;
  return hex(ledgerId, LEDGER_DIGITS) + hex(entryId, ENTRY_DIGITS);
}

export function entryTextIn(position: Position): string {
  return position.slice(0, LEDGER_DIGITS + ENTRY_DIGITS);
}

export function positionIn(entryText: string, batchIndex: number): Position {
  return entryText + (USUAL_BATCH_INDEXES[batchIndex] ?? hex(batchIndex, BATCH_DIGITS));
}

/** Whether it says where; see `NO_ENTRY`. */
export function isPlace(position: Position): boolean {
  return position.length > BATCH_DIGITS;
}

/** Rejects what this log never gave out as `refused`. */
export function messageIdOf(position: Position): MessageId {
  if (!FORM.test(position)) throw new PortError('refused', `not a position of this log: ${position}`);
  const entryAt = LEDGER_DIGITS;
  const batchAt = LEDGER_DIGITS + ENTRY_DIGITS;
  return {
    ledgerId: Number.parseInt(position.slice(0, entryAt), 16),
    entryId: Number.parseInt(position.slice(entryAt, batchAt), 16),
    partition: -1,
    batchIndex: Number.parseInt(position.slice(batchAt), 16),
  };
}

export function decodeMessageId(bytes: Uint8Array): MessageId {
  const id: MessageId = { ledgerId: 0, entryId: 0, partition: -1, batchIndex: -1 };
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let digits = 1, weight = 1; ; digits++, weight *= 0x80) {
      const byte = bytes[at++];
      if (byte === undefined) throw new PortError('unavailable', 'Pulsar sent a message id that ends early');
      value += (byte & 0x7f) * weight;
      // The only negative number that Pulsar writes, and only negative ones are of full length, is -1.
      if (byte < 0x80) return digits < VARINT_BYTES_MAX ? value : -1;
    }
  };
  const skip = (length: number): void => {
    at += length;
  };
  while (at < bytes.length) {
    const tag = varint();
    const wireType = tag & 7;
    if (wireType === 0) setField(id, tag >> 3, varint());
    else if (wireType === 2) skip(varint());
    else throw new PortError('unavailable', `Pulsar sent a message id with wire type ${wireType}`);
  }
  id.batchIndex = Math.max(0, id.batchIndex);
  return id;
}

export function encodeMessageId({ ledgerId, entryId, partition, batchIndex }: MessageId): Buffer {
  const bytes: number[] = [];
  const field = (number: number, value: number) => {
    bytes.push(number << 3);
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
    bytes.push(Number(rest));
  };
  field(LEDGER_ID, ledgerId);
  field(ENTRY_ID, entryId);
  // Left out where they are the default, -1.
  if (partition >= 0) field(PARTITION, partition);
  if (batchIndex > 0) field(BATCH_INDEX, batchIndex);
  return Buffer.from(bytes);
}

function setField(id: MessageId, field: number, value: number): void {
  if (field === LEDGER_ID) id.ledgerId = value;
  else if (field === ENTRY_ID) id.entryId = value;
  else if (field === PARTITION) id.partition = value;
  else if (field === BATCH_INDEX) id.batchIndex = value;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
