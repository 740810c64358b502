import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { WebSocket } from 'ws';
import { listenWebSocket, type WebSocketOptions } from '../../../functions/adapters/socket/websocket-listener.js';
import type { CloseReason, Listener } from '../../../functions/ports/peer.js';
import { Arrivals, type Seen } from './arrivals.js';

export const PACKET_MAX_BYTES = 100_000;

/** A listener of its own on a free port, and whoever comes to it. */
export class Harness {
  readonly arrivals = new Arrivals();
  readonly #clients: { destroy(): void }[] = [];
  listener!: Listener;

  static async listen(options: Partial<WebSocketOptions> = {}): Promise<Harness> {
    const harness = new Harness();
    harness.listener = await listenWebSocket(
      { host: '127.0.0.1', port: 0, path: '/mqtt', packetMaxBytes: PACKET_MAX_BYTES, ...options },
      harness.arrivals.accept,
    );
    return harness;
  }

  get port(): number {
    return Number(new URL(this.listener.url).port);
  }

  async connect(protocols: string[] = ['mqtt']): Promise<{ client: WebSocket; seen: Seen }> {
    const client = new WebSocket(this.listener.url, protocols, { perMessageDeflate: true });
    this.#clients.push({ destroy: () => client.terminate() });
    client.on('error', () => {});
    await once(client, 'open');
    return { client, seen: await this.arrivals.next() };
  }

  /** A TCP connection that has said nothing. */
  async tcp(options: { allowHalfOpen?: boolean } = {}): Promise<Socket> {
    const socket = connect({ port: this.port, host: '127.0.0.1', ...options });
    this.#clients.push(socket);
    socket.on('error', () => {});
    await once(socket, 'connect');
    return socket;
  }

  /** A WebSocket of which every byte from here on is the test's. */
  async raw(options: { allowHalfOpen?: boolean } = {}): Promise<{ socket: Socket; seen: Seen }> {
    const socket = await this.tcp(options);
    socket.write(requestOf({ Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Protocol': 'mqtt' }));
    await once(socket, 'data');
    return { socket, seen: await this.arrivals.next() };
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    await this.listener.close();
  }
}

export function requestOf(headers: Record<string, string>, path = '/mqtt'): string {
  const all = {
    Host: 'x',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version': '13',
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return `GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
}

export interface FrameParts {
  opcode?: number;
  fin?: boolean;
  masked?: boolean;
  /** What the header says, where that is not what follows. */
  saysBytes?: number;
}

/** A client's frame (RFC 6455 section 5.2), masked with zeros unless told otherwise. */
export function frame(
  payload: Uint8Array,
  { opcode = 2, fin = true, masked = true, saysBytes }: FrameParts = {},
): Buffer {
  const bytes = saysBytes ?? payload.length;
  const mask = masked ? 0x80 : 0;
  const head = Buffer.alloc(bytes < 126 ? 2 : 10);
  head[0] = (fin ? 0x80 : 0) | opcode;
  head[1] = mask | (bytes < 126 ? bytes : 127);
  if (bytes >= 126) head.writeBigUInt64BE(BigInt(bytes), 2);
  return Buffer.concat([head, Buffer.alloc(masked ? 4 : 0), payload]);
}

export const CLOSE_REASONS: readonly (readonly [CloseReason, number])[] = [
  ['normal', 1000],
  ['going-away', 1001],
  ['protocol-error', 1002],
  ['unsupported-data', 1003],
  ['policy', 1008],
  ['too-big', 1009],
  ['internal-error', 1011],
];
