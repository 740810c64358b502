import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { within } from '../support/waiting.js';

/** A TCP connection on which every byte is the test's, and which keeps every byte that comes. */
export class ByteSocket {
  /** As the server's log names this end. */
  readonly address: string;
  readonly #socket: Socket;
  readonly #chunks: Buffer[] = [];
  readonly #closed: Promise<unknown>;
  #arrived = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.address = `${socket.localAddress}:${socket.localPort}`;
    this.#closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => {
      this.#chunks.push(bytes);
      this.#arrived();
    });
  }

  static async open(port: number): Promise<ByteSocket> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await within('the TCP connection is open', once(socket, 'connect'));
    return new ByteSocket(socket);
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  /** Has nothing more to say. */
  end(): void {
    this.#socket.end();
  }

  /** Takes all that came, as soon as it is at least that many bytes. */
  async take(bytes: number): Promise<Buffer> {
    const enough = new Promise<void>((resolve) => {
      const look = () => {
        if (this.#chunks.reduce((sum, { length }) => sum + length, 0) >= bytes) resolve();
      };
      this.#arrived = look;
      look();
    });
    await within(`${bytes} bytes from the server`, enough);
    return Buffer.concat(this.#chunks.splice(0));
  }

  /** What came since the last `take`, up to the server's close. */
  async rest(): Promise<Buffer> {
    await within('the server closes', this.#closed);
    return Buffer.concat(this.#chunks.splice(0));
  }
}
