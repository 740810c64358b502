import { createServer, type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { Server as TlsServer } from 'node:tls';
import { WebSocketServer } from 'ws';
import { handshakeToken, TOKEN_PARAMETER } from '../../ports/handshake-token.js';
import type { Accept } from '../../ports/peer.js';
import {
  connectionsOf,
  HANDSHAKE_TIMEOUT_MS_DEFAULT,
  listen,
  type SocketListener,
  securityOf,
  TCP_OPTIONS,
  type TlsFiles,
} from './listening.js';
import { acceptWebSocket, MqttWebSocket } from './websocket-peer.js';

/** MQTT 3.1.1 and 5 are `mqtt` [MQTT-6.0.0-4]; MQTT 3.1 clients say `mqttv3.1`. */
const SUBPROTOCOLS = ['mqtt', 'mqttv3.1'];
/** One message may hold several packets, of which the largest is bounded by the codec. */
const MESSAGE_SLACK_BYTES = 64 * 1024;
/** How often, at least, Node looks for requests past that. */
const HANDSHAKE_CHECK_MS = 1_000;

/** What a plain GET gets. */
export interface Page {
  status: number;
  text: string;
}

export interface WebSocketOptions {
  host: string;
  /** 0: any free one. */
  port: number;
  path: string;
  packetMaxBytes: number;
  /** By path; null: there is none. */
  pages?: (path: string) => Page | null;
  /** Whether a token that a handshake brings is good; it may reject where that cannot be told. Absent: whatever it is. */
  checkToken?: ((token: string) => Promise<boolean>) | undefined;
  /** Without it, plain TCP. */
  tls?: TlsFiles | undefined;
  /** For TLS, and again from then to the complete request. */
  handshakeTimeoutMs?: number;
}

/** Listens for MQTT over WebSocket, with or without TLS. Rejects `unavailable` where it cannot listen, saying where and why. */
export async function listenWebSocket(options: WebSocketOptions, accept: Accept): Promise<SocketListener> {
  const sockets = new WebSocketServer({
    noServer: true,
    WebSocket: MqttWebSocket,
    perMessageDeflate: false,
    maxPayload: options.packetMaxBytes + MESSAGE_SLACK_BYTES,
    // Text is refused whatever it says.
    skipUTF8Validation: true,
    handleProtocols: (offered) => firstKnown(offered) ?? false,
  });
  const server = httpServer(options);
  const connections = connectionsOf(server);
  server.on('request', (request, response) => {
    const { status, text } = pageOf(request, options);
    response.writeHead(status, { ...headersOf(text), ...(status === 426 && { upgrade: 'websocket' }) });
    response.end(text);
  });
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => {});
    const status = refusalOf(request, options.path);
    if (status !== null) return refuse(socket, status, options.path);
    const token = tokenOf(request);
    void tokenRefusal(token, options).then((refused) => {
      if (refused !== null) return refuse(socket, refused, options.path);
      sockets.handleUpgrade(request, socket, head, (webSocket) =>
        acceptWebSocket(webSocket, { request, token }, accept),
      );
    });
  });
  const { host, port, path } = options;
  const url = await listen(server, { scheme: options.tls ? 'wss' : 'ws', host, port, path });
  // Both end only with the last connection, which `close` waits for.
  let peersGone: Promise<unknown> | undefined;
  let gone: Promise<unknown> | undefined;
  const stop = async () => {
    gone ??= new Promise((resolve) => server.close(resolve));
    peersGone ??= new Promise((resolve) => sockets.close(resolve));
  };
  return {
    url,
    stop,
    async close() {
      await stop();
      for (const client of sockets.clients) client.close(1001, '');
      server.closeAllConnections();
      await peersGone;
      for (const connection of connections) connection.destroy();
      await gone;
    },
    renew(renewed) {
      if (server instanceof TlsServer) server.setSecureContext(securityOf(renewed));
    },
  };
}

function httpServer({ tls, handshakeTimeoutMs = HANDSHAKE_TIMEOUT_MS_DEFAULT }: WebSocketOptions): Server {
  const http = {
    ...TCP_OPTIONS,
    headersTimeout: handshakeTimeoutMs,
    requestTimeout: handshakeTimeoutMs,
    connectionsCheckingInterval: Math.min(HANDSHAKE_CHECK_MS, handshakeTimeoutMs),
  };
  return tls
    ? createTlsServer({ ...http, ...securityOf(tls), handshakeTimeout: handshakeTimeoutMs })
    : createServer(http);
}

function pageOf(request: IncomingMessage, { path, pages }: WebSocketOptions): Page {
  const asked = pathOf(request);
  if (asked === path) return { status: 426, text: textOf(426, path) };
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  return (isRead && pages?.(asked)) || { status: 404, text: textOf(404, path) };
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

function tokenOf({ url, headers }: IncomingMessage): string | undefined {
  const query = new URLSearchParams((url ?? '').split('?')[1] ?? '');
  return handshakeToken(headers.authorization, query.get(TOKEN_PARAMETER));
}

/** The status; null: there is none to be refused. */
async function tokenRefusal(token: string | undefined, { checkToken }: WebSocketOptions): Promise<number | null> {
  if (token === undefined || checkToken === undefined) return null;
  return checkToken(token).then(
    (isGood) => (isGood ? null : 401),
    () => 503,
  );
}

function firstKnown(offered: Iterable<string>): string | undefined {
  return [...offered].find((name) => SUBPROTOCOLS.includes(name));
}

/** On a socket that node:http has let go. */
function refuse(socket: Duplex, status: number, path: string): void {
  const text = textOf(status, path);
  const headers = Object.entries(headersOf(text)).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${headers.join('')}\r\n${text}`);
}

function headersOf(text: string): Record<string, string> {
  const length = Buffer.byteLength(text);
  return { connection: 'close', 'content-type': 'text/plain; charset=utf-8', 'content-length': `${length}` };
}

function textOf(status: number, path: string): string {
  return `${STATUS_CODES[status]}: MQTT over WebSocket is at ${path}, subprotocol ${SUBPROTOCOLS.join(' or ')}\n`;
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?', 1)[0] as string;
}
