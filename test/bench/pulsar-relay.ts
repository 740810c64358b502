/**
 * What the program on Pulsar is compared with: a relay as somebody would write it in a day. It parses with `mqtt-packet`,
 * has every message through one Pulsar topic, finds subscribers by the exact topic, and encodes PUBLISH by hand. QoS 1 is
 * acknowledged when Pulsar has it. Nothing else is kept: no sessions, no packet identifiers in flight, no place in the log.
 * Arguments: Pulsar's URL (`pulsar:` with `pulsar-client`, `ws:` with Pulsar's WebSocket API) and the Pulsar topic.
 */
import type { AddressInfo } from 'node:net';
import { generate, type Packet, parser, type QoS } from 'mqtt-packet';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Line, nativeLine, webLine } from './pulsar-relay-lines.js';

const [url = '', pulsarTopic = ''] = process.argv.slice(2);
const subscribers = new Map<string, Map<Client, QoS>>();
const line: Line = await (url.startsWith('pulsar:') ? nativeLine : webLine)(url, pulsarTopic, (topic, payload) => {
  for (const [client, qos] of subscribers.get(topic) ?? []) client.deliver(topic, payload, qos);
});
const server = new WebSocketServer({ host: '127.0.0.1', port: 0, path: '/mqtt', perMessageDeflate: false });
server.on('connection', (socket) => new Client(socket));
server.on('listening', () => process.send?.(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/mqtt`));
process.on('disconnect', () => process.exit());

class Client {
  readonly #socket: WebSocket;
  #messageId = 0;
  #waiting: Buffer[] = [];

  constructor(socket: WebSocket) {
    this.#socket = socket;
    const packets = parser();
    packets.on('packet', (packet) => this.#received(packet));
    packets.on('error', () => socket.close());
    socket.on('message', (data) => packets.parse(data as Buffer));
    socket.on('close', () => {
      for (const clients of subscribers.values()) clients.delete(this);
    });
  }

  deliver(topic: string, payload: Buffer, qos: QoS): void {
    this.#messageId = (this.#messageId % 65_535) + 1;
    this.#send(publishOf(topic, payload, qos, this.#messageId));
  }

  #received(packet: Packet): void {
    switch (packet.cmd) {
      case 'connect':
        return this.#send(generate({ cmd: 'connack', returnCode: 0, sessionPresent: false }));
      case 'subscribe': {
        for (const { topic, qos } of packet.subscriptions) {
          const clients = subscribers.get(topic) ?? new Map<Client, QoS>();
          subscribers.set(topic, clients.set(this, qos));
        }
        const granted = packet.subscriptions.map(({ qos }) => qos);
        return this.#send(generate({ cmd: 'suback', messageId: packet.messageId ?? 0, granted }));
      }
      case 'publish': {
        const sent = line.publish(packet.topic, packet.payload as Buffer);
        if (packet.qos === 0) return void sent.catch(() => {});
        const { messageId = 0 } = packet;
        const puback = Buffer.from([0x40, 2, messageId >> 8, messageId & 0xff]);
        sent.then(
          () => this.#send(puback),
          () => this.#socket.close(),
        );
        return;
      }
      case 'pingreq':
        return this.#send(generate({ cmd: 'pingresp' }));
    }
  }

  /** What one turn of the event loop produced goes out in one frame. */
  #send(bytes: Buffer): void {
    if (this.#waiting.length === 0) {
      setImmediate(() => {
        this.#socket.send(this.#waiting.length === 1 ? (this.#waiting[0] as Buffer) : Buffer.concat(this.#waiting));
        this.#waiting = [];
      });
    }
    this.#waiting.push(bytes);
  }
}

function publishOf(topic: string, payload: Buffer, qos: QoS, messageId: number): Buffer {
  const topicBytes = Buffer.byteLength(topic);
  const length = 2 + topicBytes + (qos === 0 ? 0 : 2) + payload.length;
  const lengthBytes = length < 0x80 ? 1 : length < 0x4000 ? 2 : length < 0x20_0000 ? 3 : 4;
  const bytes = Buffer.allocUnsafe(1 + lengthBytes + length);
  bytes[0] = 0x30 | (qos << 1);
  let at = 1;
  for (let rest = length; at <= lengthBytes; at += 1, rest >>= 7) {
    bytes[at] = (rest & 0x7f) | (at < lengthBytes ? 0x80 : 0);
  }
  at = bytes.writeUInt16BE(topicBytes, at);
  at += bytes.write(topic, at);
  if (qos > 0) at = bytes.writeUInt16BE(messageId, at);
  payload.copy(bytes, at);
  return bytes;
}
