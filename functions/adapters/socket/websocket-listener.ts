import { createServer, type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ServerOptions, WebSocketServer } from 'ws';
import type { Accept, Listener } from '../../ports/peer.js';
import { acceptWebSocket, MqttWebSocket } from './websocket-peer.js';

/** MQTT 3.1.1 and 5 are `mqtt` [MQTT-6.0.0-4]; MQTT 3.1 clients say `mqttv3.1`. */
const SUBPROTOCOLS = ['mqtt', 'mqttv3.1'];
/** One message may hold several packets, of which the largest is bounded by the codec. */
const MESSAGE_SLACK_BYTES = 64 * 1024;
/** How long the other end has for its half of the closing handshake. */
const CLOSE_TIMEOUT_MS = 2_000;
const HEADERS_TIMEOUT_MS = 10_000;

export interface WebSocketOptions {
  host: string;
  /** 0: any free one. */
  port: number;
  path: string;
  packetMaxBytes: number;
}

/** Listens for MQTT over WebSocket. Rejects with Node's error where it cannot listen, such as `EADDRINUSE`. */
export async function listenWebSocket(options: WebSocketOptions, accept: Accept): Promise<Listener> {
  const sockets = new WebSocketServer({
    noServer: true,
    WebSocket: MqttWebSocket,
    perMessageDeflate: false,
    maxPayload: options.packetMaxBytes + MESSAGE_SLACK_BYTES,
    closeTimeout: CLOSE_TIMEOUT_MS,
    handleProtocols: (offered) => SUBPROTOCOLS.find((name) => offered.has(name)) ?? false,
  } as ServerOptions<typeof MqttWebSocket>);
  const server = createServer({ headersTimeout: HEADERS_TIMEOUT_MS }, (request, response) => {
    const status = pathOf(request) === options.path ? 426 : 404;
    response.writeHead(status, { 'content-type': 'text/plain', ...(status === 426 && { upgrade: 'websocket' }) });
    response.end(`${STATUS_CODES[status]}: MQTT over WebSocket is at ${options.path}\n`);
  });
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => {});
    const status = refusalOf(request, options.path);
    if (status !== null) return refuse(socket, status);
    sockets.handleUpgrade(request, socket, head, (webSocket) => acceptWebSocket(webSocket, request, accept));
  });
  await listen(server, options);
  return {
    url: urlOf(server, options),
    stop: async () => stop(server),
    close: async () => {
      stop(server);
      const closed = [...sockets.clients].map((client) => {
        const gone = new Promise<void>((resolve) => client.once('close', () => resolve()));
        if (client.readyState === MqttWebSocket.OPEN) client.close(1001, '');
        return gone;
      });
      await Promise.all(closed);
    },
  };
}

/**
 * A client that offers subprotocols must offer one of ours. One that offers none is taken: [MQTT-6.0.0-3] binds the client,
 * and nothing is gained by turning away a client that means MQTT.
 */
function refusalOf(request: IncomingMessage, path: string): number | null {
  if (pathOf(request) !== path) return 404;
  const offered = request.headers['sec-websocket-protocol'];
  if (offered === undefined) return null;
  return offered.split(',').some((name) => SUBPROTOCOLS.includes(name.trim())) ? null : 400;
}

function refuse(socket: Duplex, status: number): void {
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?', 1)[0] as string;
}

function listen(server: Server, { host, port }: WebSocketOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      server.on('error', () => {});
      resolve();
    });
  });
}

function stop(server: Server): void {
  if (server.listening) server.close();
  server.closeIdleConnections();
}

function urlOf(server: Server, { host, path }: WebSocketOptions): string {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return `ws://${host.includes(':') ? `[${host}]` : host}:${port}${path}`;
}
