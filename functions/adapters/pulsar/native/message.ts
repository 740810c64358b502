import { PortError } from '../../../ports/errors.js';
import type { LogEntry, LogRecord, Position } from '../../../ports/log.js';
import { entryTextIn, entryTextOf, positionIn } from '../message-id.js';
import type { NativeMessage, NativeMessageId } from './client.js';
import type { RecentAppends } from './recent-appends.js';

/** Where a message is: two positions are in the same entry where they have the same text of it. */
interface Place {
  entryText: string;
  batchIndex: number;
}

/** `(ledger,entry,partition,batch)`, of a message in chunks the first and the last of them, which is where it ends: cheaper to read than what `serialize` gives, and the client cannot compare ids. */
const FORM = /\((-?\d+),(-?\d+),(-?\d+),(-?\d+)\)$/;

/** Reads message ids of the client, those of one entry mostly in a row. */
export class NativeIds {
  /** Of the last one that was read: all before its batch index. */
  #head = '';
  #entryText = '';

  placeOf(id: NativeMessageId): Place {
    const text = id.toString();
    const batchAt = text.lastIndexOf(',') + 1;
    if (batchAt !== this.#head.length || !text.startsWith(this.#head)) {
      const match = FORM.exec(text);
      if (match === null) throw new PortError('unavailable', `not a message id of Pulsar's client: ${text}`);
      this.#head = text.slice(0, batchAt);
      this.#entryText = entryTextOf({ ledgerId: Number(match[1]), entryId: Number(match[2]) });
    }
    return { entryText: this.#entryText, batchIndex: Math.max(0, Number(text.slice(batchAt, -1))) };
  }
}

/** Messages that follow each other in one partition; of those in `recent` only the place is read. */
export function entriesOf(
  messages: readonly NativeMessage[],
  partition: string,
  ids: NativeIds,
  recent?: RecentAppends,
): LogEntry[] {
  const positions = positionsOf(
    messages,
    (message) => ids.placeOf(message.getMessageId()),
    (_, at) => at,
  );
  let entryText: string | undefined;
  let appendedAtMs = 0;
  return messages.map((message, i) => {
    const position = positions[i] as Position;
    // Of the messages of one entry, which is a batch, Pulsar keeps one time.
    if (entryText === undefined || !position.startsWith(entryText)) {
      entryText = entryTextIn(position);
      appendedAtMs = message.getPublishTimestamp();
    }
    return { partition, position, appendedAtMs, record: recent?.take(position) ?? recordOf(message) };
  });
}

function recordOf(message: NativeMessage): LogRecord {
  return {
    key: message.getPartitionKey(),
    payload: message.getData(),
    properties: { ...message.getProperties() },
  };
}

/**
 * An id costs as much as the rest of a message, so not all are read. They rise, and so does the order: where two of one entry
 * are as far from each other as their orders, those in between are counted through.
 */
export function positionsOf<T>(
  rising: readonly T[],
  placeOf: (one: T) => Place,
  orderOf: (one: T, at: number) => number,
): Position[] {
  const positions: Position[] = new Array(rising.length);
  const order = (at: number): number => orderOf(rising[at] as T, at);
  const read = (at: number): Place => {
    const place = placeOf(rising[at] as T);
    positions[at] = positionIn(place.entryText, place.batchIndex);
    return place;
  };
  const fill = (low: number, first: Place, high: number, last: Place): void => {
    if (high - low < 2) return;
    const begin = order(low);
    if (first.entryText === last.entryText && last.batchIndex - first.batchIndex === order(high) - begin) {
      for (let at = low + 1; at < high; at += 1) {
        positions[at] = positionIn(first.entryText, first.batchIndex + order(at) - begin);
      }
      return;
    }
    const middle = (low + high) >> 1;
    const place = read(middle);
    fill(low, first, middle, place);
    fill(middle, place, high, last);
  };
  const high = rising.length - 1;
  if (high >= 0) {
    const first = read(0);
    fill(0, first, high, high === 0 ? first : read(high));
  }
  return positions;
}
