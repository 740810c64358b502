import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Certificate } from './certificate.js';

/** A TCP line to a port of this machine, which a test can cut. */
export interface CutLine {
  port: number;
  /** Ends what goes through it at once, and lets nothing in until `mend`. */
  cut(): void;
  /** What the far end says from now on, on lines that are open, gets no further: it is lost when that end goes. */
  hold(): void;
  mend(): void;
  close(): Promise<void>;
}

/** With a certificate, the near end speaks TLS. On a free port, unless one is named. */
export async function openCutLine(toPort: number, certificate?: Certificate | null, port = 0): Promise<CutLine> {
  const sockets = new Set<Socket>();
  const answers = new Map<Socket, Socket>();
  let isCut = false;
  const join = (near: Socket): void => {
    if (isCut) return void near.destroy();
    const far = connect(toPort, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('error', () => {});
      from.once('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
    answers.set(far, near);
    far.once('close', () => answers.delete(far));
  };
  const server: Server = certificate ? createTlsServer(certificate, join) : createServer(join);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const cut = () => {
    isCut = true;
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    hold() {
      for (const [far, near] of answers) far.unpipe(near).pause();
    },
    mend() {
      isCut = false;
    },
    async close() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
