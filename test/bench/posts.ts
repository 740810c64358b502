/**
 * What a delivery to a client behind API Gateway costs the worker: the calls alone, and the worker's channel, which joins what
 * waits for a connection. In a process of its own, whose CPU is counted; a gateway that takes everything is another. Plain HTTP:
 * TLS on kept-alive connections comes on top. Its argument is the milliseconds of each measurement.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ApiGateway } from '../../functions/adapters/api-gateway/gateway.js';
import { systemClock } from '../../functions/adapters/system/clock.js';
import { serverFrame } from '../../functions/dialect/server-frame.js';
import { encode } from '../../functions/mqtt/encode.js';
import { silent } from '../../functions/ports/telemetry.js';
import { GatewayChannel } from '../../functions/runtime/gateway-channel.js';
import { header, row } from './report.js';

const HEAD = ['posts/s', 'messages/s', 'µs/post', 'µs/message', 'cores'];
const CONNECTIONS = 1_000;
const UNDER_WAY = 64;
const MESSAGE = encode(
  {
    type: 'publish',
    topic: 'bench/posts',
    payload: Buffer.alloc(128),
    qos: 1,
    packetId: 1,
    dup: false,
    retain: false,
    properties: {},
  },
  5,
) as Uint8Array;

export interface PostsFigure {
  name: string;
  postsPerS: number;
  messagesPerS: number;
  /** CPU of the worker, all threads. */
  postCpuUs: number;
  messageCpuUs: number;
}

if (process.argv[2] === 'gateway') takeEverything();
else await main(Number(process.argv[2] ?? 2_000));

function takeEverything(): void {
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => response.writeHead(200).end());
  });
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
  process.on('disconnect', () => process.exit(0));
}

async function main(measureMs: number): Promise<void> {
  const other = fork(process.argv[1] as string, ['gateway']);
  const [port] = (await once(other, 'message')) as [number];
  const gateway = new ApiGateway({
    endpoint: `http://127.0.0.1:${port}/prod`,
    region: 'eu-central-1',
    credentials: async () => ({ accessKeyId: 'a', secretAccessKey: 'b' }),
    connections: UNDER_WAY,
  });
  console.log(header(`Posts, ${CONNECTIONS} connections`, HEAD));
  await measure('calls alone', measureMs, (count) => callsAlone(gateway, count));
  for (const joined of [1, 10, 100]) {
    await measure(`channel, ${joined} a post`, measureMs, (count) => throughChannel(gateway, joined, count));
  }
  gateway.end();
  other.disconnect();
}

type Count = (messages: number) => void;

/** `begin` returns what stops the load, and resolves when nothing is under way. */
async function measure(name: string, measureMs: number, begin: (count: Count) => () => Promise<void>): Promise<void> {
  let posts = 0;
  let messages = 0;
  const stop = begin((taken) => {
    posts += 1;
    messages += taken;
  });
  await pause(measureMs / 4);
  [posts, messages] = [0, 0];
  const [begunMs, begunCpu] = [performance.now(), process.cpuUsage()];
  await pause(measureMs);
  const [tookS, { user, system }] = [(performance.now() - begunMs) / 1_000, process.cpuUsage(begunCpu)];
  const cpuUs = user + system;
  const figure: PostsFigure = {
    name,
    postsPerS: posts / tookS,
    messagesPerS: messages / tookS,
    postCpuUs: cpuUs / posts,
    messageCpuUs: cpuUs / messages,
  };
  const rates = [figure.postsPerS, figure.messagesPerS].map((value) => value.toFixed(0));
  const costs = [figure.postCpuUs, figure.messageCpuUs].map((value) => value.toFixed(1));
  console.log(row(name, [...rates, ...costs, (cpuUs / 1e6 / tookS).toFixed(2)]));
  process.send?.(figure);
  await stop();
}

function callsAlone(gateway: ApiGateway, count: Count): () => Promise<void> {
  let isOver = false;
  const text = textOf(1, MESSAGE);
  const loops = Array.from({ length: UNDER_WAY }, async (_, at) => {
    for (let i = at; !isOver; i += UNDER_WAY) {
      await gateway.post(idOf(i % CONNECTIONS), text);
      count(1);
    }
  });
  return async () => {
    isOver = true;
    await Promise.all(loops);
  };
}

/** Each connection has so many messages waiting whenever it is its turn. */
function throughChannel(gateway: ApiGateway, joined: number, count: Count): () => Promise<void> {
  let isOver = false;
  const limits = { gatewayPostsPerS: Number.MAX_SAFE_INTEGER, gatewayPostsMax: UNDER_WAY, sendBufferMaxBytes: 1e9 };
  const clients = new Map(Array.from({ length: CONNECTIONS }, (_, i) => [idOf(i), `client-${i}`]));
  const deliver = (id: string) => {
    for (let i = 0; i < joined && !isOver; i += 1) channel.deliver(clients.get(id) as string, 1, MESSAGE, false);
  };
  const post = async (id: string, text: string) => {
    await gateway.post(id, text);
    count(joined);
    setImmediate(() => deliver(id));
  };
  const frame = (counter: number, bytes: Uint8Array) => textOf(counter, bytes);
  const parts = { clock: systemClock, telemetry: silent, gateway: { ...gateway, post, close: async () => {} }, frame };
  const channel = new GatewayChannel({ ...parts, lost: () => {} }, limits);
  for (const [id, clientId] of clients) {
    channel.connected(clientId, 1, id);
    deliver(id);
  }
  return async () => {
    isOver = true;
    await Promise.all([...clients.values()].map((clientId) => channel.drained(clientId, 1)));
    await pause(200);
  };
}

function textOf(counter: number, bytes: Uint8Array): string {
  return serverFrame({ type: 'worker', epoch: 1, number: counter, bytes });
}

function idOf(i: number): string {
  return `L0SM9cOFvH${String(i).padStart(5, '0')}=`;
}

function pause(ms: number): Promise<void> {
  return new Promise((resume) => setTimeout(resume, ms));
}
