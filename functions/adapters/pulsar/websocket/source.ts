import type { LogEntry, Position } from '../../../ports/log.js';
import { Arrivals } from '../arrivals.js';
import { decodeMessageId, positionOf } from '../message-id.js';
import type { Source } from '../transport.js';
import { type Connection, connectionLost } from './connection.js';

/** Messages that Pulsar sends ahead of our asking for more; it takes no higher number. */
export const AHEAD_MAX = 1_000;
/** Text of messages that wait for `next`: over it, nothing more is taken from the socket. */
const WAITING_MAX_BYTES = 16 * 1024 * 1024;
/** Any answer asks for one more message. */
const ONE_MORE = '{}';

interface Message {
  messageId: string;
  /** Absent where a producer of Java said null. */
  payload?: string;
  properties?: Record<string, string>;
  /** ISO 8601. */
  publishTime: string;
  key?: string;
}

/** A reader of Pulsar's WebSocket API. Its durable subscription, where it has one, is moved by the web service. */
export class WebSocketSource implements Source {
  readonly #partition: string;
  readonly #connection: Connection;
  readonly #acknowledge: (position: Position) => Promise<void>;
  readonly #arrivals = new Arrivals((count) => this.#askForMore(count));
  #waitingBytes = 0;

  constructor(partition: string, connection: Connection, acknowledge: (position: Position) => Promise<void>) {
    this.#partition = partition;
    this.#connection = connection;
    this.#acknowledge = acknowledge;
    const { socket } = connection;
    socket.on('message', (data: Buffer) => this.#take(data));
    socket.once('close', (code, reason) => this.#arrivals.end(connectionLost(partition, code, reason)));
    socket.resume();
  }

  next(limit: number): Promise<readonly LogEntry[]> {
    return this.#arrivals.next(limit);
  }

  acknowledge(position: Position): Promise<void> {
    return this.#acknowledge(position);
  }

  async close(): Promise<void> {
    this.#connection.socket.resume();
    this.#connection.socket.close();
  }

  #take(data: Buffer): void {
    const { messageId, payload, properties, publishTime, key } = JSON.parse(data.toString()) as Message;
    this.#arrivals.add({
      partition: this.#partition,
      position: positionOf(decodeMessageId(Buffer.from(messageId, 'base64'))),
      appendedAtMs: Date.parse(publishTime),
      record: { key: key ?? '', payload: Buffer.from(payload ?? '', 'base64'), properties: properties ?? {} },
    });
    this.#waitingBytes += data.length;
    if (this.#waitingBytes > WAITING_MAX_BYTES) this.#connection.socket.pause();
  }

  #askForMore(count: number): void {
    for (let i = 0; i < count; i++) this.#connection.send(ONE_MORE);
    if (this.#arrivals.count > 0) return;
    this.#waitingBytes = 0;
    const { socket } = this.#connection;
    if (socket.isPaused) socket.resume();
  }
}
