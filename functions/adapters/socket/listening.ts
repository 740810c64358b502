import type { Server, Socket } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { PortError } from '../../ports/errors.js';
import type { Listener } from '../../ports/peer.js';

/** How long the other end has, once the connection is ending, to take what was sent and to end its half. */
export const CLOSE_DEADLINE_MS = 2_000;
/** For a TLS handshake, and for a complete HTTP request after it, unless the options say otherwise. */
export const HANDSHAKE_TIMEOUT_MS_DEFAULT = 10_000;
/** After this long without traffic TCP itself asks whether the other end is there: a client's Keep Alive may be 0. */
const TCP_KEEP_ALIVE_MS = 60_000;

export const TCP_OPTIONS = { noDelay: true, keepAlive: true, keepAliveInitialDelay: TCP_KEEP_ALIVE_MS } as const;

/** What a server proves itself with: PEM texts, the certificate with those between it and the root. */
export interface TlsFiles {
  cert: string;
  key: string;
}

export interface SocketListener extends Listener {
  /** For the handshakes from now on. Nothing where there is no TLS. */
  renew(tls: TlsFiles): void;
}

export interface Address {
  scheme: 'ws' | 'wss' | 'mqtt' | 'mqtts';
  host: string;
  /** 0: any free one. */
  port: number;
  path?: string;
}

/** Resolves with the URL that clients may dial. Rejects `unavailable` where it cannot listen, saying where and why. */
export function listen(server: Server, address: Address): Promise<string> {
  const { host, port } = address;
  return new Promise((resolve, reject) => {
    const failed = (cause: NodeJS.ErrnoException): void => {
      const why = LISTEN_FAILURES[cause.code ?? ''] ?? cause.message;
      reject(new PortError('unavailable', `cannot listen on ${urlOf(address, port)}: ${why}`, { cause }));
    };
    server.once('error', failed);
    server.listen(port, host, () => {
      server.off('error', failed);
      // A connection that could not be accepted, such as for want of file descriptors: who is connected stays.
      server.on('error', () => {});
      const bound = server.address();
      resolve(urlOf(address, typeof bound === 'object' && bound !== null ? bound.port : port));
    });
  });
}

export function securityOf(tls: TlsFiles): TlsOptions {
  return { cert: tls.cert, key: tls.key, minVersion: 'TLSv1.2' };
}

/** TCP connections, those in a TLS handshake among them, which no server can name or cut. */
export function connectionsOf(server: Server): ReadonlySet<Socket> {
  const connections = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  return connections;
}

/** The other end's address and port. */
export function addressOf({ remoteAddress = '?', remotePort = 0 }: Socket): string {
  return `${inUrl(remoteAddress)}:${remotePort}`;
}

const LISTEN_FAILURES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program has this address and port',
  EADDRNOTAVAIL: 'this machine has no such address',
  EACCES: 'this user may not take the port',
  ENOTFOUND: 'there is no host of this name',
};

function urlOf({ scheme, host, path = '' }: Address, port: number): string {
  return `${scheme}://${inUrl(host)}:${port}${path}`;
}

function inUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
