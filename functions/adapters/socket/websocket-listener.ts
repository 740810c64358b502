import { createServer, type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { PortError } from '../../ports/errors.js';
import type { Accept, Listener } from '../../ports/peer.js';
import { acceptWebSocket, MqttWebSocket } from './websocket-peer.js';

/** MQTT 3.1.1 and 5 are `mqtt` [MQTT-6.0.0-4]; MQTT 3.1 clients say `mqttv3.1`. */
const SUBPROTOCOLS = ['mqtt', 'mqttv3.1'];
/** One message may hold several packets, of which the largest is bounded by the codec. */
const MESSAGE_SLACK_BYTES = 64 * 1024;
/** From TCP connection to complete request, unless the options say otherwise. */
const HANDSHAKE_TIMEOUT_MS_DEFAULT = 10_000;
/** How often, at least, Node looks for requests past that. */
const HANDSHAKE_CHECK_MS = 1_000;
/** After this long without traffic TCP itself asks whether the other end is there: a client's Keep Alive may be 0. */
const TCP_KEEP_ALIVE_MS = 60_000;

export interface WebSocketOptions {
  host: string;
  /** 0: any free one. */
  port: number;
  path: string;
  packetMaxBytes: number;
  handshakeTimeoutMs?: number;
}

/** Listens for MQTT over WebSocket. Rejects `unavailable` where it cannot listen, saying where and why. */
export async function listenWebSocket(options: WebSocketOptions, accept: Accept): Promise<Listener> {
  const sockets = new WebSocketServer({
    noServer: true,
    WebSocket: MqttWebSocket,
    perMessageDeflate: false,
    maxPayload: options.packetMaxBytes + MESSAGE_SLACK_BYTES,
    // Text is refused whatever it says.
    skipUTF8Validation: true,
    handleProtocols: (offered) => firstKnown(offered) ?? false,
  });
  const server = httpServer(options.handshakeTimeoutMs ?? HANDSHAKE_TIMEOUT_MS_DEFAULT);
  server.on('request', (request, response) => {
    const status = pathOf(request) === options.path ? 426 : 404;
    response.writeHead(status, { ...headersOf(status, options.path), ...(status === 426 && { upgrade: 'websocket' }) });
    response.end(textOf(status, options.path));
  });
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => {});
    const status = refusalOf(request, options.path);
    if (status !== null) return refuse(socket, status, options.path);
    sockets.handleUpgrade(request, socket, head, (webSocket) => acceptWebSocket(webSocket, request, accept));
  });
  await listen(server, options);
  let gone: Promise<unknown> | undefined;
  const stop = async () => {
    // Both end only with the last connection, which `close` waits for.
    gone ??= Promise.all([
      new Promise((resolve) => server.close(resolve)),
      new Promise((resolve) => sockets.close(resolve)),
    ]);
  };
  return {
    url: urlOf(server, options),
    stop,
    async close() {
      await stop();
      for (const client of sockets.clients) client.close(1001, '');
      server.closeAllConnections();
      await gone;
    },
  };
}

function httpServer(handshakeTimeoutMs: number): Server {
  return createServer({
    headersTimeout: handshakeTimeoutMs,
    requestTimeout: handshakeTimeoutMs,
    connectionsCheckingInterval: Math.min(HANDSHAKE_CHECK_MS, handshakeTimeoutMs),
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
  });
}

/**
 * A client that offers subprotocols must offer one of ours. One that offers none is taken: [MQTT-6.0.0-3] binds the client,
 * and nothing is gained by turning away a client that means MQTT.
 */
function refusalOf(request: IncomingMessage, path: string): number | null {
  if (pathOf(request) !== path) return 404;
  const offered = request.headers['sec-websocket-protocol'];
  if (offered === undefined) return null;
  return firstKnown(offered.split(',').map((name) => name.trim())) === undefined ? 400 : null;
}

function firstKnown(offered: Iterable<string>): string | undefined {
  return [...offered].find((name) => SUBPROTOCOLS.includes(name));
}

/** On a socket that node:http has let go. */
function refuse(socket: Duplex, status: number, path: string): void {
  const headers = Object.entries(headersOf(status, path)).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${headers.join('')}\r\n${textOf(status, path)}`);
}

function headersOf(status: number, path: string): Record<string, string> {
  const length = Buffer.byteLength(textOf(status, path));
  return { connection: 'close', 'content-type': 'text/plain; charset=utf-8', 'content-length': `${length}` };
}

function textOf(status: number, path: string): string {
  return `${STATUS_CODES[status]}: MQTT over WebSocket is at ${path}, subprotocol ${SUBPROTOCOLS.join(' or ')}\n`;
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?', 1)[0] as string;
}

function listen(server: Server, { host, port, path }: WebSocketOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (cause: NodeJS.ErrnoException): void => {
      const why = LISTEN_FAILURES[cause.code ?? ''] ?? cause.message;
      const url = `ws://${inUrl(host)}:${port}${path}`;
      reject(new PortError('unavailable', `cannot listen on ${url}: ${why}`, { cause }));
    };
    server.once('error', failed);
    server.listen(port, host, () => {
      server.off('error', failed);
      // A connection that could not be accepted, such as for want of file descriptors: who is connected stays.
      server.on('error', () => {});
      resolve();
    });
  });
}

const LISTEN_FAILURES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program has this address and port',
  EADDRNOTAVAIL: 'this machine has no such address',
  EACCES: 'this user may not take the port',
  ENOTFOUND: 'there is no host of this name',
};

function urlOf(server: Server, { host, path }: WebSocketOptions): string {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return `ws://${inUrl(host)}:${port}${path}`;
}

function inUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
