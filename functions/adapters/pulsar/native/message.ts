import { PortError } from '../../../ports/errors.js';
import type { LogEntry, Position } from '../../../ports/log.js';
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

/** Messages that follow each other in one partition. */
export function entriesOf(messages: readonly NativeMessage[], partition: string): LogEntry[] {
  const positions = positionsOf(messages);
  return messages.map((message, i) => ({
    partition,
    position: positions[i] as Position,
    appendedAtMs: message.getPublishTimestamp(),
    record: {
      key: message.getPartitionKey(),
      payload: message.getData(),
      properties: { ...message.getProperties() },
    },
  }));
}

/**
 * An id costs as much as the rest of a message, so not all are read. They rise: where two of one entry are as far from each
 * other as their messages, those in between are counted through.
 */
function positionsOf(messages: readonly NativeMessage[]): Position[] {
  const positions: Position[] = new Array(messages.length);
  const read = (at: number): MessageId => {
    const id = readNativeId((messages[at] as NativeMessage).getMessageId());
    positions[at] = positionOf(id);
    return id;
  };
  const fill = (low: number, first: MessageId, high: number, last: MessageId): void => {
    if (high - low < 2) return;
    const isOneEntry = first.ledgerId === last.ledgerId && first.entryId === last.entryId;
    if (isOneEntry && last.batchIndex - first.batchIndex === high - low) {
      for (let at = low + 1; at < high; at += 1) {
        positions[at] = positionOf({ ...first, batchIndex: first.batchIndex + at - low });
      }
      return;
    }
    const middle = (low + high) >> 1;
    const id = read(middle);
    fill(low, first, middle, id);
    fill(middle, id, high, last);
  };
  const high = messages.length - 1;
  if (high >= 0) {
    const first = read(0);
    fill(0, first, high, high === 0 ? first : read(high));
  }
  return positions;
}
