import { createRequire } from 'node:module';
import type { Duplex } from 'node:stream';
import WebSocket from 'ws';
import type { NativeMessage, NativeModule } from '../../functions/adapters/pulsar/native/client.js';

/** To one Pulsar topic and back. */
export interface Line {
  /** Resolves when Pulsar has it. */
  publish(key: string, payload: Buffer): Promise<unknown>;
}

type OnMessage = (key: string, payload: Buffer) => void;

/** As the program has it over the WebSocket API; with `pulsar-client` that ends a batch with the turn of the event loop. */
const BATCH_DELAY_MS = 1;
const BATCH_MESSAGES_MAX = 1_000;
const IN_FLIGHT_MAX = 10_000;

/** Made from a client that is collected, producers and consumers close. */
const held: unknown[] = [];

/** `pulsar-client`, many messages a call. */
export async function nativeLine(serviceUrl: string, topic: string, onMessage: OnMessage): Promise<Line> {
  const { Client } = createRequire(import.meta.url)('pulsar-client') as NativeModule;
  const client = new Client({ serviceUrl, logLevel: 3, log: () => {} });
  const consumer = await client.subscribe({
    topic,
    subscription: 'relay',
    subscriptionType: 'Exclusive',
    receiverQueueSize: BATCH_MESSAGES_MAX,
    batchReceivePolicy: { maxNumMessages: BATCH_MESSAGES_MAX, maxNumBytes: 1024 * 1024, timeoutMs: 1 },
  });
  const producer = await client.createProducer({
    topic,
    batchingEnabled: true,
    batchingMaxPublishDelayMs: BATCH_DELAY_MS,
    batchingMaxMessages: BATCH_MESSAGES_MAX,
    maxPendingMessages: IN_FLIGHT_MAX,
  });
  held.push(client);
  const receive = async () => {
    for (;;) {
      // An empty batch comes every millisecond: while nothing comes, one message is waited for.
      let batch = [await consumer.receive()];
      for (; batch.length > 0; batch = await consumer.batchReceive()) {
        for (const message of batch) onMessage(message.getPartitionKey(), message.getData());
        void consumer.acknowledgeCumulativeId((batch.at(-1) as NativeMessage).getMessageId());
      }
    }
  };
  void receive();
  return { publish: (key, data) => producer.send({ data, partitionKey: key, properties: {} }) };
}

/** Pulsar's WebSocket API: JSON, base64, and an answer to each message. `origin` is `ws://host:port`. */
export async function webLine(origin: string, topic: string, onMessage: OnMessage): Promise<Line> {
  const path = topic.replace('persistent://', 'persistent/');
  const batching = `batchingEnabled=true&batchingMaxPublishDelay=${BATCH_DELAY_MS}&batchingMaxMessages=${BATCH_MESSAGES_MAX}`;
  const consumer = await opened(`${origin}/ws/v2/consumer/${path}/relay?receiverQueueSize=${BATCH_MESSAGES_MAX}`);
  const producer = await opened(`${origin}/ws/v2/producer/${path}?${batching}&maxPendingMessages=${IN_FLIGHT_MAX}`);
  consumer.socket.on('message', (data) => {
    const { messageId, payload, key } = JSON.parse(String(data)) as Record<string, string>;
    onMessage(key ?? '', Buffer.from(payload ?? '', 'base64'));
    sendInTurn(consumer, `{"messageId":"${messageId}"}`);
  });
  const sent = new Map<string, (error?: Error) => void>();
  let count = 0;
  producer.socket.on('message', (data) => {
    const { result, context = '' } = JSON.parse(String(data)) as { result: string; context?: string };
    sent.get(context)?.(result === 'ok' ? undefined : new Error(result));
    sent.delete(context);
  });
  return {
    publish: (key, payload) =>
      new Promise<void>((resolve, reject) => {
        count += 1;
        sent.set(String(count), (error) => (error === undefined ? resolve() : reject(error)));
        const record = { payload: payload.toString('base64'), key, context: String(count) };
        sendInTurn(producer, JSON.stringify(record));
      }),
  };
}

interface Opened {
  socket: WebSocket;
  stream: Duplex;
}

function opened(url: string): Promise<Opened> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  return new Promise((resolve, reject) => {
    socket.once('upgrade', ({ socket: stream }) => socket.once('open', () => resolve({ socket, stream })));
    socket.once('error', reject);
  });
}

/** One write for all frames of a turn, as the program does. */
function sendInTurn({ socket, stream }: Opened, text: string): void {
  if (stream.writableCorked === 0) {
    stream.cork();
    setImmediate(() => stream.uncork());
  }
  socket.send(text);
}
