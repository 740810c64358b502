import { PortError, type PortErrorCode } from '../../../ports/errors.js';
import type { LogRecord } from '../../../ports/log.js';
import { decodeMessageId, positionOf } from '../message-id.js';
import { partitionName } from '../topic-names.js';
import { appendedAt, type Outcome, type TransportProducer } from '../transport.js';
import { type Connection, connectionLost } from './connection.js';

interface InFlight {
  /** By `performance.now()`. */
  sentAt: number;
  outcome: Outcome;
}

/** What Pulsar answers to a message; `context` is the number that went with it. */
interface Acknowledgement {
  result: string;
  messageId?: string;
  context?: string;
  errorMsg?: string;
}

export interface ProducerLimits {
  /** Bytes of a frame, which holds the payload in base64. */
  frameMaxBytes: number;
  messageMaxBytes: number;
  /** After this a message without an answer is given up, and the connection with it. */
  answerDeadlineMs: number;
}

/** Pulsar's own words, where they say that the message is not in the log. */
const REFUSALS: readonly [RegExp, PortErrorCode][] = [
  [/exceeds|too large|size is bigger|InvalidMessage/i, 'too-large'],
  [/quota|queue.*full|buffer.*full|memory/i, 'full'],
  [/not.?allowed|authoriz|terminated|schema/i, 'refused'],
];

/** A producer of Pulsar's WebSocket API: messages go out at once, and their receipts come in any order. */
export class WebSocketProducer implements TransportProducer {
  readonly #topic: string;
  readonly #connection: Connection;
  readonly #limits: ProducerLimits;
  /** By context, in the order of sending. */
  readonly #inFlight = new Map<string, InFlight>();
  #sent = 0;
  #closed = false;
  #watching: NodeJS.Timeout | undefined;

  constructor(topic: string, connection: Connection, limits: ProducerLimits, onLost: () => void) {
    this.#topic = topic;
    this.#connection = connection;
    this.#limits = limits;
    const { socket } = connection;
    socket.on('message', (data: Buffer) => this.#answered(JSON.parse(data.toString()) as Acknowledgement));
    socket.once('close', (code, reason) => {
      clearTimeout(this.#watching);
      // Before what is in flight is given up: whatever follows it must not be sent here.
      if (!this.#closed) onLost();
      this.#failAll(connectionLost(topic, code, reason));
    });
    socket.resume();
  }

  send({ key, payload, properties }: LogRecord, outcome: Outcome): void {
    const { messageMaxBytes, frameMaxBytes, answerDeadlineMs } = this.#limits;
    const context = String(++this.#sent);
    const base64 = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('base64');
    const about = `"key":${JSON.stringify(key)},"properties":${JSON.stringify(properties)},"context":"${context}"`;
    const text = `{"payload":"${base64}",${about}}`;
    if (payload.length > messageMaxBytes || Buffer.byteLength(text) > frameMaxBytes) {
      const bounds = `a message of ${messageMaxBytes} bytes, a frame of ${frameMaxBytes}`;
      const problem = new PortError('too-large', `${this.#topic}: Pulsar takes ${bounds}`);
      return queueMicrotask(() => outcome.failed(problem));
    }
    this.#inFlight.set(context, { sentAt: performance.now(), outcome });
    this.#connection.send(text);
    this.#watching ??= setTimeout(() => this.#giveUpOverdue(), answerDeadlineMs);
  }

  probe(): Promise<void> | null {
    return this.#connection.isSilent() ? this.#connection.probe() : null;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#failAll(new PortError('unavailable', `the producer of ${this.#topic} was closed`));
    this.#connection.socket.close();
  }

  #answered({ result, messageId, context, errorMsg }: Acknowledgement): void {
    const message = this.#inFlight.get(context ?? '');
    if (message === undefined) return;
    this.#inFlight.delete(context ?? '');
    if (result !== 'ok' || messageId === undefined) {
      const reason = errorMsg ?? result;
      const code = REFUSALS.find(([words]) => words.test(reason))?.[1] ?? 'unavailable';
      return message.outcome.failed(new PortError(code, `${this.#topic}: ${reason}`));
    }
    const id = decodeMessageId(Buffer.from(messageId, 'base64'));
    appendedAt({ partition: partitionName(this.#topic, id.partition), position: positionOf(id) }, message.outcome);
  }

  /** Pulsar gives up before that: where it says nothing, the connection is of no use. */
  #giveUpOverdue(): void {
    this.#watching = undefined;
    const [oldest] = this.#inFlight.values();
    if (oldest === undefined) return;
    const leftMs = oldest.sentAt + this.#limits.answerDeadlineMs - performance.now();
    if (leftMs <= 0) this.#connection.socket.terminate();
    else this.#watching = setTimeout(() => this.#giveUpOverdue(), leftMs);
  }

  #failAll(problem: PortError): void {
    const inFlight = [...this.#inFlight.values()];
    this.#inFlight.clear();
    for (const { outcome } of inFlight) outcome.failed(problem);
  }
}
