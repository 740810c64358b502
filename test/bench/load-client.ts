import { once } from 'node:events';
import { generate } from 'mqtt-packet';
import { WebSocket } from 'ws';
import { PacketSplitter } from '../support/packet-splitter.js';
import { Inbox, within } from '../support/waiting.js';

export const PUBACK = 4;
export const PUBLISH = 3;
const PUBREC = 5;
const PUBREL = 6;
const PUBCOMP = 7;
const PACKET_IDS = 65_535;
const ANSWER_BYTES = 4;
/** By the packet that it answers: the first byte of the answer. */
const ANSWERS: Readonly<Record<number, number>> = { [PUBREC]: 0x62, [PUBREL]: 0x70 };

/** Long past the end of a bench. */
const KEPT_FOR_S = 3_600;

/** Protocol level, and whether the session ends with its connection. */
export interface Session {
  level: 4 | 5;
  clean: boolean;
}

/** Type of a packet (PUBCOMP counts as PUBACK), its packet identifier (0 at QoS 0), and where its payload is. */
export type OnPacket = (type: number, packetId: number, bytes: Buffer, payload: number) => void;

/**
 * An MQTT client that costs next to nothing: no objects for packets, and one frame for what one turn has to
 * say. With MQTT 5 it can only connect and subscribe.
 */
export class LoadClient {
  onPacket: OnPacket = () => {};
  readonly #socket: WebSocket;
  /** Types of CONNACK and SUBACK. */
  readonly #answers = new Inbox<number>();
  #acks = Buffer.alloc(ANSWER_BYTES * 256);
  #acksBytes = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    const splitter = new PacketSplitter((bytes, start, body) => {
      const type = (bytes[start] as number) >> 4;
      if (type === PUBLISH) this.#publish(bytes, start, body);
      else if (type === PUBACK || type === PUBCOMP) this.onPacket(PUBACK, bytes.readUInt16BE(body), bytes, 0);
      else if (type in ANSWERS) this.#answer(ANSWERS[type] as number, bytes[body] as number, bytes[body + 1] as number);
      else this.#answers.add(type);
    });
    socket.on('message', (data) => splitter.add(data as Buffer));
  }

  /** Resolves after CONNACK, and after SUBACK where there is a topic to subscribe to. */
  static async connect(
    url: string,
    clientId: string,
    subscribe?: { topic: string; qos: 0 | 1 | 2 },
    { level, clean }: Session = { level: 4, clean: true },
  ): Promise<LoadClient> {
    const socket = new WebSocket(url, ['mqtt'], { perMessageDeflate: false, skipUTF8Validation: true });
    await within(`${clientId} has a connection`, once(socket, 'open'));
    const client = new LoadClient(socket);
    const expiry = level === 5 && !clean ? { properties: { sessionExpiryInterval: KEPT_FOR_S } } : {};
    const connect = {
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: level,
      clientId,
      clean,
      keepalive: 0,
    } as const;
    socket.send(generate({ ...connect, ...expiry }));
    await client.#answers.take(`${clientId} has its CONNACK`);
    if (subscribe !== undefined) {
      socket.send(generate({ cmd: 'subscribe', messageId: 1, subscriptions: [subscribe] }, { protocolVersion: level }));
      await client.#answers.take(`${clientId} has its SUBACK`);
    }
    return client;
  }

  send(bytes: Buffer): void {
    this.#socket.send(bytes);
  }

  end(): void {
    this.#socket.terminate();
  }

  #publish(bytes: Buffer, start: number, body: number): void {
    const id = body + 2 + bytes.readUInt16BE(body);
    if (((bytes[start] as number) & 0x06) === 0) return this.onPacket(PUBLISH, 0, bytes, id);
    this.onPacket(PUBLISH, bytes.readUInt16BE(id), bytes, id + 2);
    const first = ((bytes[start] as number) & 0x04) === 0 ? 0x40 : 0x50;
    this.#answer(first, bytes[id] as number, bytes[id + 1] as number);
  }

  #answer(first: number, high: number, low: number): void {
    if (this.#acksBytes === 0) setImmediate(() => this.#flushAcks());
    const at = this.#acksBytes;
    this.#acks[at] = first;
    this.#acks[at + 1] = 2;
    this.#acks[at + 2] = high;
    this.#acks[at + 3] = low;
    this.#acksBytes += ANSWER_BYTES;
    if (this.#acksBytes === this.#acks.length) this.#flushAcks();
  }

  #flushAcks(): void {
    if (this.#acksBytes === 0) return;
    // Copied: `ws` may hold on to it.
    this.#socket.send(Buffer.from(this.#acks.subarray(0, this.#acksBytes)));
    this.#acksBytes = 0;
  }
}

/** Writes runs of one PUBLISH that differ only in their packet identifier. */
export class PublishRun {
  readonly #template: Buffer;
  readonly #idAt: number;
  readonly #qos: 0 | 1 | 2;
  #id = 0;

  constructor(topic: string, qos: 0 | 1 | 2, payload: Buffer) {
    const messageId = qos === 0 ? {} : { messageId: 1 };
    this.#template = generate({ cmd: 'publish', topic, payload, qos, dup: false, retain: false, ...messageId });
    this.#idAt = this.#template.length - payload.length - 2;
    this.#qos = qos;
  }

  next(count: number): Buffer {
    const bytes = Buffer.allocUnsafe(count * this.#template.length);
    for (let i = 0, at = 0; i < count; i += 1, at += this.#template.length) {
      this.#template.copy(bytes, at);
      if (this.#qos === 0) continue;
      this.#id = (this.#id % PACKET_IDS) + 1;
      bytes.writeUInt16BE(this.#id, at + this.#idAt);
    }
    return bytes;
  }
}
