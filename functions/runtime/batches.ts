import type { Clock } from '../ports/clock.js';
import { type PortError, portErrorCode } from '../ports/errors.js';
import type { Log, LogRecord } from '../ports/log.js';
import type { Telemetry } from '../ports/telemetry.js';
import { retry } from './retry.js';

export interface BatchesParts<T> {
  clock: Clock;
  telemetry: Telemetry;
  log: Pick<Log, 'append'>;
  topic: string;
  /** `number` rises by one, from 1. */
  toRecord: (number: number, items: readonly T[]) => LogRecord;
  /** About; of what the record will have. */
  bytesOf: (item: T) => number;
  /** The log will never take these. */
  failed: (items: readonly T[], error: unknown) => void;
}

const BATCH_MAX_ITEMS = 5_000;
/** Below what Pulsar takes in one message, whatever an item's form adds. */
const BATCH_MAX_BYTES = 512 * 1024;

/**
 * Tells another process things, in order, through a topic of the log. One batch is on its way at a time and what comes meanwhile
 * goes along with the next, so that a batch in doubt can be appended again under its number, and is known by it.
 */
export class Batches<T> {
  readonly #parts: BatchesParts<T>;
  #waiting: T[] = [];
  #waitingBytes = 0;
  #number = 0;
  #isSending = false;
  #isClosed = false;

  constructor(parts: BatchesParts<T>) {
    this.#parts = parts;
  }

  /** Not in the log yet, as far as is known. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  get isIdle(): boolean {
    return !this.#isSending;
  }

  add(item: T): void {
    if (this.#isClosed) return;
    this.#waiting.push(item);
    this.#waitingBytes += this.#parts.bytesOf(item);
    if (this.#isSending) return;
    this.#isSending = true;
    // With all that this turn has.
    setImmediate(() => void this.#send());
  }

  /** What waits is dropped. */
  close(): void {
    this.#isClosed = true;
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  async #send(): Promise<void> {
    const { clock, telemetry, log, topic, toRecord, failed } = this.#parts;
    while (this.#waiting.length > 0 && !this.#isClosed) {
      const { items, bytes } = this.#next();
      this.#number += 1;
      const record = toRecord(this.#number, items);
      try {
        await retry(`append to ${topic}`, { clock, telemetry }, () => log.append(topic, record), this.#mayPass);
        telemetry.count('batches-appended');
        telemetry.count('batches-appended-bytes', record.payload.length);
      } catch (error) {
        telemetry.log('warn', 'batch-not-appended', { topic, code: portErrorCode(error), error: String(error) });
        failed(items, error);
      }
      this.#waitingBytes -= bytes;
    }
    this.#isSending = false;
  }

  readonly #mayPass = ({ code, retriable }: PortError): boolean => retriable && code !== 'conflict' && !this.#isClosed;

  #next(): { items: T[]; bytes: number } {
    let bytes = 0;
    let count = 0;
    while (count < this.#waiting.length && count < BATCH_MAX_ITEMS) {
      const more = this.#parts.bytesOf(this.#waiting[count] as T);
      if (count > 0 && bytes + more > BATCH_MAX_BYTES) break;
      bytes += more;
      count += 1;
    }
    return { items: this.#waiting.splice(0, count), bytes };
  }
}
