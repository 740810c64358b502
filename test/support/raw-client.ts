import { once } from 'node:events';
import { generate, type IConnackPacket, type IConnectPacket, type Packet, type PacketCmd, parser } from 'mqtt-packet';
import { WebSocket } from 'ws';
import { PacketSplitter } from './packet-splitter.js';
import { Inbox, type Scope, unique, within } from './waiting.js';

/** The levels that stock clients speak. */
export type StockLevel = 4 | 5;

/** A packet from the server, parsed by `mqtt-packet`, with the bytes that it came in. */
export type Arrived<C extends PacketCmd = PacketCmd> = Extract<Packet, { cmd: C }> & { bytes: Buffer };

/**
 * A WebSocket on which every byte is the test's, and which answers nothing by itself: for hostile input, for clients that go
 * silent or lose their connection between two packets, and for what a stock client hides.
 */
export class RawClient {
  readonly packets = new Inbox<Arrived>();
  readonly level: StockLevel;
  /** Told of each packet that comes from then on. */
  onPacket: (packet: Arrived) => void = () => {};
  readonly #socket: WebSocket;
  readonly #closed: Promise<number>;

  private constructor(socket: WebSocket, level: StockLevel) {
    this.#socket = socket;
    this.level = level;
    const splitter = new PacketSplitter((bytes, start, _body, end) => this.#arrived(bytes.subarray(start, end)));
    socket.on('message', (data) => splitter.add(data as Buffer));
    socket.on('error', () => {});
    this.#closed = new Promise((resolve) => socket.once('close', resolve));
  }

  /** Opens the WebSocket and says nothing. */
  static async open(scope: Scope, url: string, level: StockLevel): Promise<RawClient> {
    const socket = new WebSocket(url, ['mqtt']);
    const client = new RawClient(socket, level);
    scope.after(async () => socket.terminate());
    await within('the WebSocket is open', once(socket, 'open'));
    return client;
  }

  /** A client that was accepted, with a new session unless told otherwise. */
  static async connect(
    scope: Scope,
    url: string,
    level: StockLevel,
    connect: Partial<IConnectPacket> = {},
  ): Promise<{ client: RawClient; connack: IConnackPacket }> {
    const client = await RawClient.open(scope, url, level);
    client.send(connectPacket(level, connect));
    return { client, connack: await client.next('connack') };
  }

  send(packet: Packet): void {
    this.write(generate(packet, { protocolVersion: this.level }));
  }

  /** One binary frame of these bytes, or of this hexadecimal text. */
  write(bytes: Buffer | string): void {
    this.#socket.send(typeof bytes === 'string' ? hex(bytes) : bytes, { binary: true });
  }

  writeText(text: string): void {
    this.#socket.send(text, { binary: false });
  }

  /** The next packet, which must be of that kind. */
  async next<C extends PacketCmd>(cmd: C): Promise<Arrived<C>> {
    const packet = await this.packets.take(`a ${cmd}`);
    if (packet.cmd !== cmd) throw new Error(`a ${cmd} was due, and what came is ${JSON.stringify(packet)}`);
    return packet as Arrived<C>;
  }

  /** All that came before the answer to a PINGREQ, other than what was taken. */
  async untilPong(): Promise<Arrived[]> {
    this.send({ cmd: 'pingreq' });
    const before: Arrived[] = [];
    for (;;) {
      const packet = await this.packets.take('a pingresp');
      if (packet.cmd === 'pingresp') return before;
      before.push(packet);
    }
  }

  /** Reads nothing more, and so does not even answer a close frame. */
  pause(): void {
    this.#socket.pause();
  }

  /** The code of the server's close frame; 1006 where there was none. */
  closeCode(deadlineMs?: number): Promise<number> {
    return within('the server closes', this.#closed, deadlineMs);
  }

  /** Loses the connection, without a close frame. */
  async drop(): Promise<void> {
    this.#socket.terminate();
    await this.#closed;
  }

  #arrived(bytes: Buffer): void {
    const one = parser({ protocolVersion: this.level });
    one.on('packet', (packet) => {
      const arrived = Object.assign(packet, { bytes }) as Arrived;
      this.packets.add(arrived);
      this.onPacket(arrived);
    });
    one.on('error', (error: Error) => {
      throw new Error(`${error.message} in what the server sent: ${bytes.toString('hex')}`);
    });
    one.parse(bytes);
  }
}

export function connectPacket(level: StockLevel, connect: Partial<IConnectPacket> = {}): IConnectPacket {
  const defaults = { clientId: unique('raw'), clean: true, keepalive: 0 };
  return { cmd: 'connect', protocolId: 'MQTT', protocolVersion: level, ...defaults, ...connect };
}

/** What makes a session outlive its connection at that level. */
export function persistent(level: StockLevel, expiryS = 3_600): Pick<IConnectPacket, 'clean' | 'properties'> {
  return { clean: false, ...(level === 5 && { properties: { sessionExpiryInterval: expiryS } }) };
}

/** Bytes from hexadecimal text with blanks. */
export function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
}

/** A packet by hand: first byte, Remaining Length, and the parts, of which a text becomes a UTF-8 string with its length. */
export function packetOf(first: number, ...parts: (Buffer | string)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => (typeof part === 'string' ? stringOf(part) : part)));
  return Buffer.concat([Buffer.of(first), variableByteInteger(body.length), body]);
}

/** An empty list of properties at level 5, and nothing before (section 2.2.2). */
export function noProperties(level: StockLevel): Buffer {
  return Buffer.alloc(level === 5 ? 1 : 0);
}

export function stringOf(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.of(bytes.length >> 8, bytes.length & 0xff), bytes]);
}

export function variableByteInteger(value: number): Buffer {
  const octets: number[] = [];
  let rest = value;
  do {
    octets.push((rest % 128) + (rest > 127 ? 0x80 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Buffer.from(octets);
}
