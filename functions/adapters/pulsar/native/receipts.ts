import type { LogRecord } from '../../../ports/log.js';
import { isPlace } from '../message-id.js';
import { appendedAt, type Outcome } from '../transport.js';
import type { NativeMessageId } from './client.js';
import { NativeIds, positionsOf } from './message.js';
import type { RecentByPartition } from './recent-appends.js';

/** A message that Pulsar has. */
interface Sent {
  /** As `next` gave it. */
  order: number;
  id: NativeMessageId;
  record: LogRecord;
  outcome: Outcome;
}

/** Hands out the receipts of a partition, those of one turn of the event loop together: so most ids need not be read. */
export class NativeReceipts {
  readonly #partition: string;
  readonly #recent: Pick<RecentByPartition, 'of'>;
  readonly #ids = new NativeIds();
  readonly #handOutLater = () => this.#handOut();
  #sent: Sent[] = [];
  #count = 0;

  constructor(partition: string, recent: Pick<RecentByPartition, 'of'>) {
    this.#partition = partition;
    this.#recent = recent;
  }

  /** The place in the order of sending for the next message. */
  next(): number {
    this.#count += 1;
    return this.#count;
  }

  add(sent: Sent): void {
    if (this.#sent.push(sent) === 1) setImmediate(this.#handOutLater);
  }

  #handOut(): void {
    const sent = this.#sent;
    this.#sent = [];
    // The client tells of them in nearly the order in which they were sent, which is that of the log.
    sent.sort((left, right) => left.order - right.order);
    const positions = positionsOf(
      sent,
      ({ id }) => this.#ids.placeOf(id),
      ({ order }) => order,
    );
    const recent = this.#recent.of(this.#partition);
    for (const [i, { record, outcome }] of sent.entries()) {
      const position = positions[i]!;
      if (isPlace(position)) recent?.add(position, record);
      appendedAt({ partition: this.#partition, position }, outcome);
    }
  }
}
