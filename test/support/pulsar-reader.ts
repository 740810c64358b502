import { WebSocket } from 'ws';
import type { Pulsar } from './pulsar.js';
import { unique, within } from './waiting.js';

export interface PulsarMessage {
  partition: string;
  key: string;
  payload: string;
  properties: Record<string, string>;
}

const READ_DEADLINE_MS = 30_000;

/** All that a topic of Pulsar (`tenant/namespace/name`) holds, as somebody else reads it: nothing here is Pulsegate's. */
export async function readAll(pulsar: Pulsar, topic: string): Promise<PulsarMessage[]> {
  const answer = await fetch(`${pulsar.web}/admin/v2/persistent/${pathOf(topic)}/partitions`);
  const { partitions } = (await answer.json()) as { partitions: number };
  const names = partitions === 0 ? [topic] : Array.from({ length: partitions }, (_, i) => `${topic}-partition-${i}`);
  return (await Promise.all(names.map((name) => readPartition(pulsar, name)))).flat();
}

/** Appends a message as a native producer would. */
export async function produce(
  pulsar: Pulsar,
  topic: string,
  message: { payload: string; key?: string; properties?: Record<string, string> },
): Promise<void> {
  const socket = await open(`${origin(pulsar)}/producer/persistent/${pathOf(topic)}`);
  const answered = new Promise<string>((resolve) => socket.once('message', (data) => resolve(String(data))));
  socket.send(JSON.stringify({ ...message, payload: Buffer.from(message.payload).toString('base64') }));
  const { result } = JSON.parse(await within('Pulsar takes a message', answered)) as { result: string };
  socket.terminate();
  if (result !== 'ok') throw new Error(`${topic}: ${result}`);
}

async function readPartition(pulsar: Pulsar, partition: string): Promise<PulsarMessage[]> {
  const marker = unique(`marker-${process.pid}`);
  await produce(pulsar, partition, { payload: '', key: marker });
  const socket = await open(
    `${origin(pulsar)}/reader/persistent/${pathOf(partition)}?messageId=earliest&receiverQueueSize=1000`,
  );
  const found: PulsarMessage[] = [];
  const whole = new Promise<void>((resolve) => {
    socket.on('message', (data) => {
      const { key = '', payload, properties } = JSON.parse(String(data)) as PulsarMessage;
      if (key === marker) return resolve();
      found.push({ partition, key, payload: Buffer.from(payload, 'base64').toString(), properties });
      socket.send('{}');
    });
  });
  socket.resume();
  await within(`all of ${partition}`, whole, READ_DEADLINE_MS);
  socket.terminate();
  return found;
}

/** A topic's name may have `%2F` in it. */
function pathOf(topic: string): string {
  return topic.split('/').map(encodeURIComponent).join('/');
}

function origin(pulsar: Pulsar): string {
  return `${pulsar.web.replace(/^http/, 'ws')}/ws/v2`;
}

/** What comes with the handshake waits for `resume`, or for the first listener and the turn after. */
async function open(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url);
  const opened = new Promise<void>((resolve, reject) => {
    socket.once('open', () => {
      if (url.includes('/reader/')) socket.pause();
      resolve();
    });
    socket.once('error', reject);
  });
  await within(url, opened);
  return socket;
}
