import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket, Server as TlsServer } from 'node:tls';
import type { Accept, Peer } from '../../ports/peer.js';
import {
  connectionsOf,
  HANDSHAKE_TIMEOUT_MS_DEFAULT,
  listen,
  type SocketListener,
  securityOf,
  TCP_OPTIONS,
  type TlsFiles,
} from './listening.js';
import { acceptTcp } from './tcp-peer.js';

export interface TcpOptions {
  host: string;
  /** 0: any free one. */
  port: number;
  /** Without it, plain TCP. */
  tls?: TlsFiles | undefined;
  handshakeTimeoutMs?: number;
}

/** Listens for MQTT over TCP or TLS. Rejects `unavailable` where it cannot listen, saying where and why. */
export async function listenTcp(options: TcpOptions, accept: Accept): Promise<SocketListener> {
  const { host, port, tls } = options;
  const server = serverOf(options);
  const connections = connectionsOf(server);
  const peers = new Map<Socket, Peer>();
  server.on(tls ? 'secureConnection' : 'connection', (socket: Socket) => {
    // Its handshake outlived `stop`.
    if (!server.listening) return void socket.destroy();
    peers.set(socket, acceptTcp(socket, accept));
    socket.once('close', () => peers.delete(socket));
  });
  // Unlike node:https, node:tls leaves alone whoever does not finish its handshake in time.
  server.on('tlsClientError', (_error: Error, socket: TLSSocket) => socket.destroy());
  const url = await listen(server, { scheme: tls ? 'mqtts' : 'mqtt', host, port });
  let gone: Promise<unknown> | undefined;
  const stop = async () => {
    // Ends only with the last connection, which `close` waits for.
    gone ??= new Promise((resolve) => server.close(resolve));
  };
  return {
    url,
    stop,
    async close() {
      await stop();
      const left = [...peers].map(([socket, peer]) => {
        peer.close('going-away');
        return new Promise((resolve) => socket.once('close', resolve));
      });
      await Promise.all(left);
      for (const connection of connections) connection.destroy();
      await gone;
    },
    renew(renewed) {
      if (server instanceof TlsServer) server.setSecureContext(securityOf(renewed));
    },
  };
}

function serverOf({ tls, handshakeTimeoutMs = HANDSHAKE_TIMEOUT_MS_DEFAULT }: TcpOptions): Server {
  const tcp = { ...TCP_OPTIONS, allowHalfOpen: true };
  return tls
    ? createTlsServer({ ...tcp, ...securityOf(tls), handshakeTimeout: handshakeTimeoutMs })
    : createServer(tcp);
}
