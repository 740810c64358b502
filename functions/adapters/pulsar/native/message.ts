import { PortError } from '../../../ports/errors.js';
import type { LogEntry } from '../../../ports/log.js';
import { type MessageId, positionOf } from '../message-id.js';
import type { NativeMessage, NativeMessageId } from './client.js';

const FORM = /\((\d+),(\d+),(-?\d+),(-?\d+)\)$/;

/** `(ledger,entry,partition,batch)`, of a message in chunks the first and the last of them, which is where it ends: cheaper to read than what `serialize` gives, and the client cannot compare ids. */
export function readNativeId(id: NativeMessageId): MessageId {
  const match = FORM.exec(id.toString());
  if (match === null) throw new PortError('unavailable', `not a message id of Pulsar's client: ${id}`);
  return {
    ledgerId: Number(match[1]),
    entryId: Number(match[2]),
    partition: Number(match[3]),
    batchIndex: Math.max(0, Number(match[4])),
  };
}

export function entryOf(message: NativeMessage, partition: string): LogEntry {
  const properties = { ...message.getProperties() };
  return {
    partition,
    position: positionOf(readNativeId(message.getMessageId())),
    appendedAtMs: message.getPublishTimestamp(),
    record: { key: message.getPartitionKey(), payload: message.getData(), properties },
  };
}
