import { PortError, portErrorCode } from '../../ports/errors.js';
import type { LogRecord, Receipt } from '../../ports/log.js';
import { BackOff } from './back-off.js';
import type { PulsarSettings } from './options.js';
import type { Transport, TransportProducer } from './transport.js';

interface Pending {
  record: LogRecord;
  bytes: number;
  /** By `performance.now()`: when it is rejected if it could not be sent. */
  deadline: number;
  resolve: (receipt: Receipt) => void;
  reject: (error: unknown) => void;
}

/** Told of each receipt before who appended is; may complete it. */
export type OnReceipt = (receipt: Receipt, record: LogRecord) => Receipt;

/** Keys, properties and the frame around them, beside the payload. */
const RECORD_OVERHEAD_BYTES = 256;

/**
 * Appends to one topic, in order, over whatever connection there is. What is in flight when the connection is lost is
 * rejected as in doubt and never sent again, so nothing overtakes; what was not sent yet waits for the next connection.
 */
export class TopicProducer {
  readonly #topic: string;
  readonly #transport: Transport;
  readonly #settings: PulsarSettings;
  readonly #onReceipt: OnReceipt;
  readonly #waiting: Pending[] = [];
  readonly #backOff = new BackOff();
  readonly #drains: (() => void)[] = [];
  #inFlight = 0;
  #pendingBytes = 0;
  #producer: TransportProducer | undefined;
  #opening = false;
  #isProbing = false;
  #retry: NodeJS.Timeout | undefined;
  #expiry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(topic: string, transport: Transport, settings: PulsarSettings, onReceipt: OnReceipt) {
    this.#topic = topic;
    this.#transport = transport;
    this.#settings = settings;
    this.#onReceipt = onReceipt;
  }

  /** Something is in flight, or waits to be sent. */
  get isBusy(): boolean {
    return this.#inFlight > 0 || this.#waiting.length > 0;
  }

  append(record: LogRecord): Promise<Receipt> {
    const bytes = record.payload.length + RECORD_OVERHEAD_BYTES;
    // One is always let in: a record larger than the bound is for the broker to judge.
    if (this.isBusy && this.#pendingBytes + bytes > this.#settings.pendingMaxBytes) {
      const problem = `${this.#topic}: ${this.#settings.pendingMaxBytes} bytes wait to be appended`;
      return Promise.reject(new PortError('full', problem));
    }
    this.#pendingBytes += bytes;
    return new Promise((resolve, reject) => {
      const isNext = this.#waiting.length === 0 && this.#inFlight < this.#settings.inFlightMax;
      if (isNext && this.#producer !== undefined && this.#isSound(this.#producer)) {
        return this.#sendBy(this.#producer, { record, bytes, deadline: 0, resolve, reject });
      }
      const deadline = performance.now() + this.#settings.appendDeadlineMs / 2;
      this.#waiting.push({ record, bytes, deadline, resolve, reject });
      this.#send();
    });
  }

  /** Resolves when nothing that was handed over so far is on its way. */
  drained(): Promise<void> {
    if (!this.isBusy) return Promise.resolve();
    return new Promise((resolve) => this.#drains.push(resolve));
  }

  /** Rejects what is on its way: wait for `drained` before. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#rejectWaiting(new PortError('gone', `the producer of ${this.#topic} is closed`));
    await this.#producer?.close();
  }

  #send(): void {
    if (this.#producer === undefined) {
      this.#open();
      this.#watchDeadlines();
      return;
    }
    if (!this.#isSound(this.#producer)) return this.#watchDeadlines();
    while (this.#inFlight < this.#settings.inFlightMax) {
      const pending = this.#waiting.shift();
      if (pending === undefined) break;
      this.#sendBy(this.#producer, pending);
    }
    if (this.#waiting.length > 0) this.#watchDeadlines();
  }

  /** What is handed to a connection that is dead would be in doubt; what waits until that is known goes out over the next. */
  #isSound(producer: TransportProducer): boolean {
    if (this.#isProbing) return false;
    const probe = producer.probe?.() ?? null;
    if (probe === null) return true;
    this.#isProbing = true;
    void probe.then(() => {
      this.#isProbing = false;
      if (this.#waiting.length > 0) this.#send();
    });
    return false;
  }

  #sendBy(producer: TransportProducer, { record, bytes, resolve, reject }: Pending): void {
    this.#inFlight += 1;
    producer.send(record, {
      appended: (receipt) => {
        this.#settle(bytes);
        resolve(this.#onReceipt(receipt, record));
      },
      failed: (error) => {
        this.#settle(bytes);
        this.#sayRefused(error);
        reject(error);
      },
    });
  }

  #settle(bytes: number): void {
    this.#inFlight -= 1;
    this.#release(bytes);
    if (this.#waiting.length > 0) this.#send();
  }

  /** In Pulsar's own words. What is merely in doubt is said with the connection that was lost. */
  #sayRefused(error: unknown): void {
    if (!(error instanceof PortError) || error.code === 'unavailable' || error.code === 'gone') return;
    this.#settings.tell('warn', 'pulsar-append-refused', {
      topic: this.#topic,
      code: error.code,
      error: error.message,
    });
  }

  #release(bytes: number): void {
    this.#pendingBytes -= bytes;
    if (!this.isBusy) for (const drained of this.#drains.splice(0)) drained();
  }

  #open(): void {
    if (this.#opening || this.#closed || this.#retry !== undefined) return;
    this.#opening = true;
    const onLost = () => {
      this.#producer = undefined;
      this.#settings.tell('warn', 'pulsar-producer-lost', { topic: this.#topic });
      if (this.#waiting.length > 0) this.#open();
    };
    this.#transport.openProducer(this.#topic, onLost).then(
      (producer) => {
        this.#opening = false;
        this.#backOff.reset();
        this.#producer = producer;
        if (this.#closed) void producer.close();
        else this.#send();
      },
      (error: unknown) => {
        this.#opening = false;
        this.#failedToOpen(error);
      },
    );
  }

  #failedToOpen(error: unknown): void {
    const about = { topic: this.#topic, code: portErrorCode(error), error: (error as Error).message };
    this.#settings.tell('warn', 'pulsar-producer-failed', about);
    const isLasting = error instanceof PortError && error.code !== 'unavailable' && error.code !== 'conflict';
    if (isLasting) this.#rejectWaiting(error);
    if (this.#closed || this.#waiting.length === 0) return;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      if (this.#waiting.length > 0) this.#open();
    }, this.#backOff.next());
  }

  /** Rejects what waited too long; what waits stands in order of its deadlines. */
  #watchDeadlines(): void {
    const first = this.#waiting[0];
    if (first === undefined || this.#expiry !== undefined) return;
    this.#expiry = setTimeout(
      () => {
        this.#expiry = undefined;
        const now = performance.now();
        const late = this.#waiting.findIndex(({ deadline }) => deadline > now);
        this.#rejectWaiting(
          new PortError('unavailable', `${this.#topic}: no connection in time`),
          late < 0 ? this.#waiting.length : late,
        );
        this.#watchDeadlines();
      },
      Math.max(1, first.deadline - performance.now()),
    );
  }

  #rejectWaiting(error: unknown, count = this.#waiting.length): void {
    for (const { bytes, reject } of this.#waiting.splice(0, count)) {
      reject(error);
      this.#release(bytes);
    }
  }
}
