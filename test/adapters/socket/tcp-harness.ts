import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { SocketListener } from '../../../functions/adapters/socket/listening.js';
import { listenTcp, type TcpOptions } from '../../../functions/adapters/socket/tcp-listener.js';
import { Arrivals, type Seen } from './arrivals.js';

/** A TCP listener of its own on a free port, and whoever comes to it. Clients keep their half open and are not read yet. */
export class TcpHarness {
  readonly arrivals = new Arrivals();
  readonly #clients: Socket[] = [];
  readonly #ca: string | undefined;
  listener!: SocketListener;

  private constructor(ca: string | undefined) {
    this.#ca = ca;
  }

  static async listen(options: Partial<TcpOptions> = {}): Promise<TcpHarness> {
    const harness = new TcpHarness(options.tls?.cert);
    harness.listener = await listenTcp({ host: '127.0.0.1', port: 0, ...options }, harness.arrivals.accept);
    return harness;
  }

  get port(): number {
    return Number(new URL(this.listener.url).port);
  }

  get host(): string {
    return new URL(this.listener.url).hostname.replace(/^\[|\]$/g, '');
  }

  /** With TLS where the listener has it; `tcp` is then what is below. */
  async connect(): Promise<{ client: Socket; tcp: Socket; seen: Seen }> {
    const tcp = await this.tcp();
    const client = this.#ca === undefined ? tcp : await this.tls({ socket: tcp });
    return { client, tcp, seen: await this.arrivals.next() };
  }

  /** A TCP connection that has said nothing. */
  async tcp(): Promise<Socket> {
    const client = connect({ port: this.port, host: this.host, allowHalfOpen: true });
    return this.#added(client, 'connect');
  }

  async tls(options: ConnectionOptions = {}): Promise<Socket> {
    const client = connectTls({
      ...{ port: this.port, host: this.host, ca: this.#ca },
      ...options,
      allowHalfOpen: true,
    } as ConnectionOptions);
    return this.#added(client, 'secureConnect');
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    await this.listener.close();
  }

  async #added<S extends Socket>(client: S, isOpen: string): Promise<S> {
    this.#clients.push(client);
    await once(client, isOpen);
    client.on('error', () => {});
    return client;
  }
}

/** All that a client gets until the other end closes its half. */
export async function allOf(client: Socket): Promise<Buffer> {
  const parts: Buffer[] = [];
  client.on('data', (bytes: Buffer) => parts.push(bytes));
  await once(client, 'end');
  return Buffer.concat(parts);
}
