import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { PortError } from '../../ports/errors.js';
import type { Gateway } from '../../ports/gateway.js';
import { type Credentials, Signer } from './signer.js';

const ANSWER_MAX_MS = 5_000;
const CONNECTIONS = 64;

export interface ApiGatewayOptions {
  /** `https://{api}.execute-api.{region}.amazonaws.com/{stage}`: where the API's connections are called. */
  endpoint: string;
  region: string;
  /** Resolves with those of now. */
  credentials: () => Promise<Credentials>;
  /** Calls under way at once. */
  connections?: number;
}

/**
 * API Gateway's connection management, called over kept-alive connections with a signature of our own making: with the SDK a
 * call costs 730 µs of CPU, and calls are what bounds a worker.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html
 */
export class ApiGateway implements Gateway {
  readonly #url: URL;
  readonly #signer: Signer;
  readonly #agent: HttpAgent | HttpsAgent;

  constructor({ endpoint, region, credentials, connections = CONNECTIONS }: ApiGatewayOptions) {
    this.#url = new URL(endpoint);
    this.#signer = new Signer({ region, service: 'execute-api', credentials });
    const options = { keepAlive: true, maxSockets: connections };
    this.#agent = this.#url.protocol === 'https:' ? new HttpsAgent(options) : new HttpAgent(options);
  }

  async post(id: string, text: string): Promise<void> {
    const status = await this.#call('POST', id, text);
    if (status >= 300) throw problem(status);
  }

  async close(id: string): Promise<void> {
    const status = await this.#call('DELETE', id, '');
    if (status >= 300 && status !== 410) throw problem(status);
  }

  end(): void {
    this.#agent.destroy();
  }

  async #call(method: string, id: string, body: string): Promise<number> {
    const path = `${this.#url.pathname.replace(/\/$/, '')}/@connections/${encodeURIComponent(id)}`;
    const headers = await this.#signer.sign({ method, host: this.#url.host, path, body }, new Date());
    const make = this.#url.protocol === 'https:' ? httpsRequest : httpRequest;
    const { hostname, port } = this.#url;
    return new Promise((resolve, reject) => {
      const length = Buffer.byteLength(body);
      const request = make({
        method,
        hostname,
        port,
        path,
        agent: this.#agent,
        headers: { ...headers, 'content-length': length },
        timeout: ANSWER_MAX_MS,
      });
      request.on('response', (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode ?? 0));
        response.on('error', failed);
      });
      request.on('timeout', () => request.destroy(new Error(`no answer within ${ANSWER_MAX_MS} ms`)));
      request.on('error', failed);
      request.end(body);

      function failed(cause: Error): void {
        reject(new PortError('unavailable', `API Gateway: ${cause.message}`, { cause }));
      }
    });
  }
}

function problem(status: number): PortError {
  switch (status) {
    case 410:
      return new PortError('gone', 'API Gateway: the connection is gone (410)');
    case 413:
      return new PortError('too-large', 'API Gateway: the frame is too large (413)');
    case 429:
      return new PortError('full', 'API Gateway: too many calls, or too much for this connection (429)');
    default:
      return status >= 500
        ? new PortError('unavailable', `API Gateway answered ${status}`)
        : new PortError('refused', `API Gateway answered ${status}: may this role call execute-api:ManageConnections?`);
  }
}
