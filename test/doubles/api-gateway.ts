import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import type { GatewayEvent, GatewayResult } from '../../functions/handlers/gateway-event.js';
import { randomOf } from '../support/random.js';

export type FunctionName = 'connect' | 'message' | 'disconnect';

export interface ApiGatewayOptions {
  /** Calls a function, in whatever process it is. A rejection is a function that threw. */
  invoke: (name: FunctionName, event: GatewayEvent) => Promise<GatewayResult>;
  seed?: number;
  /** How much sooner than the real one it loses patience. */
  timesFaster?: number;
  /** Chances, from 0 to 1. */
  invokesTwice?: number;
  losesDisconnect?: number;
  throttles?: number;
}

const STAGE = 'prod';
const FRAME_MAX_BYTES = 32 * 1024;
const MESSAGE_MAX_BYTES = 128 * 1024;
const POST_MAX_BYTES = 128 * 1024;
const IDLE_MAX_MS = 600_000;
const LIFE_MAX_MS = 7_200_000;
const INVOCATION_DELAY_MAX_MS = 5;

interface Connection {
  id: string;
  /** null: `$connect` has not answered, and posting to it gives 410. */
  socket: WebSocket | null;
  sourceIp: string;
  cancelIdle: () => void;
}

/**
 * API Gateway's WebSocket APIs, as strict as the real ones: https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
 * Frames of one connection are handled at once and in no order, functions may be invoked twice, and `$disconnect` may not be.
 */
export class ApiGatewayDouble {
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: 10 * MESSAGE_MAX_BYTES });
  readonly #options: ApiGatewayOptions;
  readonly #connections = new Map<string, Connection>();
  readonly #chance: () => number;
  readonly #underWay = new Set<Promise<unknown>>();
  /** Invocations and calls so far, by name. */
  readonly counts: Record<string, number> = {};
  #ids = 0;

  static async start(options: ApiGatewayOptions): Promise<ApiGatewayDouble> {
    const double = new ApiGatewayDouble(options);
    await new Promise<void>((resolve) => double.#server.listen(0, '127.0.0.1', resolve));
    return double;
  }

  private constructor(options: ApiGatewayOptions) {
    this.#options = options;
    const draw = randomOf(options.seed ?? 1);
    this.#chance = () => draw(1_000_000) / 1_000_000;
    this.#server = createServer((request, response) => void this.#manage(request, response));
    this.#server.on('upgrade', (request, socket, head) => {
      void this.#connect(request, (accept) => {
        if (accept === null) socket.end('HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n');
        else this.#sockets.handleUpgrade(request, socket, head, accept);
      });
    });
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#port}/${STAGE}`;
  }

  /** For PULSEGATE_GATEWAY. */
  get endpoint(): string {
    return `http://127.0.0.1:${this.#port}/${STAGE}`;
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Cuts every connection, as its own maintenance may. */
  cutAll(): void {
    for (const { socket } of this.#connections.values()) socket?.terminate();
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.cutAll();
    this.#server.closeAllConnections();
    await closed;
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
  }

  get #port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async #connect(request: IncomingMessage, answer: (accept: ((socket: WebSocket) => void) | null) => void) {
    this.#ids += 1;
    const connection: Connection = {
      id: `${Buffer.from(`connection-${this.#ids}`).toString('base64')}`,
      socket: null,
      sourceIp: request.socket.remoteAddress ?? '',
      cancelIdle: () => {},
    };
    this.#connections.set(connection.id, connection);
    const url = new URL(request.url ?? '/', 'http://gateway');
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [headerName(name), String(value)]),
    );
    const query = Object.fromEntries(url.searchParams);
    const event = { ...this.#event(connection), headers, queryStringParameters: url.search === '' ? null : query };
    const result = await this.#invoke('connect', event).catch(() => ({ statusCode: 500 }) as GatewayResult);
    if (result.statusCode !== 200) {
      this.#connections.delete(connection.id);
      return answer(null);
    }
    const protocol = result.headers?.['Sec-WebSocket-Protocol'];
    this.#sockets.options.handleProtocols = () => protocol ?? false;
    answer((socket) => this.#opened(connection, socket));
  }

  #opened(connection: Connection, socket: WebSocket): void {
    const { timesFaster = 1 } = this.#options;
    connection.socket = socket;
    const life = setTimeout(() => socket.close(1001, 'Going away'), LIFE_MAX_MS / timesFaster);
    const stayAwake = () => {
      connection.cancelIdle();
      const idle = setTimeout(() => socket.close(1001, 'Going away'), IDLE_MAX_MS / timesFaster);
      connection.cancelIdle = () => clearTimeout(idle);
    };
    stayAwake();
    socket.on('message', (data: RawData, isBinary: boolean) => {
      stayAwake();
      const bytes = data as Buffer;
      if (isBinary) return socket.close(1003, 'Binary is not supported');
      // The client half sends each message as one frame.
      if (bytes.length > FRAME_MAX_BYTES) return socket.close(1009, 'Too large');
      this.#keep(this.#message(connection, bytes.toString()));
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(life);
      connection.cancelIdle();
      this.#connections.delete(connection.id);
      if (this.#chance() < (this.#options.losesDisconnect ?? 0)) return;
      this.#keep(this.#invoke('disconnect', this.#event(connection)).catch(() => {}));
    });
  }

  /** In no order, and each of them perhaps twice: whichever answers first is the one whose answer the client gets. */
  async #message(connection: Connection, body: string): Promise<void> {
    const event = { ...this.#event(connection), body, isBase64Encoded: false };
    if (this.#chance() < (this.#options.invokesTwice ?? 0)) {
      this.#keep(this.#soon().then(() => this.#invoke('message', event).catch(() => {})));
    }
    await this.#soon();
    const result = await this.#invoke('message', event).catch(() => null);
    const text =
      result === null
        ? JSON.stringify({ message: 'Internal server error', connectionId: connection.id, requestId: 'x' })
        : result.body;
    if (text !== undefined && text !== '') connection.socket?.send(text);
  }

  #soon(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, this.#chance() * INVOCATION_DELAY_MAX_MS));
  }

  /** `@connections`. */
  async #manage(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const id = decodeURIComponent(request.url?.split('/@connections/')[1] ?? '');
    const socket = this.#connections.get(id)?.socket;
    this.#count(`${request.method}`);
    const isSigned = /^AWS4-HMAC-SHA256 Credential=/.test(request.headers.authorization ?? '');
    const answer = (status: number) => response.writeHead(status).end();
    if (!isSigned) return void answer(403);
    if (this.#chance() < (this.#options.throttles ?? 0)) return void answer(429);
    if (!socket || socket.readyState !== WebSocket.OPEN) return void answer(410);
    if (request.method === 'DELETE') {
      socket.close(1000);
      return void answer(204);
    }
    if (body.length > POST_MAX_BYTES) return void answer(413);
    socket.send(body.toString());
    answer(200);
  }

  #invoke(name: FunctionName, event: GatewayEvent): Promise<GatewayResult> {
    this.#count(name);
    return this.#options.invoke(name, event);
  }

  #event({ id, sourceIp }: Connection): GatewayEvent {
    const domainName = 'abc.execute-api.eu-central-1.amazonaws.com';
    return { requestContext: { connectionId: id, domainName, stage: STAGE, identity: { sourceIp } } };
  }

  #keep(work: Promise<unknown>): void {
    const kept: Promise<unknown> = work.finally(() => this.#underWay.delete(kept));
    this.#underWay.add(kept);
  }

  #count(name: string): void {
    this.counts[name] = (this.counts[name] ?? 0) + 1;
  }
}

/** As clients write them, not as Node does. */
function headerName(name: string): string {
  return name.replace(/(^|-)[a-z]/g, (first) => first.toUpperCase());
}
