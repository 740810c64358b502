/**
 * What the program is compared with: a relay as somebody would write it in an hour. It parses and generates with
 * `mqtt-packet`, finds subscribers by the exact topic, acknowledges at once, and keeps nothing: no sessions, no packet
 * identifiers in flight, no disk. With `join` as its argument it sends what one event-loop turn produced in one frame.
 */
import type { AddressInfo } from 'node:net';
import { generate, type Packet, parser, type QoS } from 'mqtt-packet';
import { type WebSocket, WebSocketServer } from 'ws';

const joins = process.argv.includes('join');
const subscribers = new Map<string, Map<Client, QoS>>();
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

  deliver(topic: string, payload: Buffer | string, qos: QoS): void {
    this.#messageId = (this.#messageId % 65_535) + 1;
    this.#send({ cmd: 'publish', topic, payload, qos, messageId: this.#messageId, dup: false, retain: false });
  }

  #received(packet: Packet): void {
    switch (packet.cmd) {
      case 'connect':
        return this.#send({ cmd: 'connack', returnCode: 0, sessionPresent: false });
      case 'subscribe':
        for (const { topic, qos } of packet.subscriptions) {
          const clients = subscribers.get(topic) ?? new Map<Client, QoS>();
          subscribers.set(topic, clients.set(this, qos));
        }
        return this.#send({
          cmd: 'suback',
          messageId: packet.messageId ?? 0,
          granted: packet.subscriptions.map(({ qos }) => qos),
        });
      case 'publish':
        for (const [client, qos] of subscribers.get(packet.topic) ?? []) {
          client.deliver(packet.topic, packet.payload, Math.min(qos, packet.qos) as QoS);
        }
        if (packet.qos === 1) this.#send({ cmd: 'puback', messageId: packet.messageId ?? 0 });
        return;
      case 'pingreq':
        return this.#send({ cmd: 'pingresp' });
    }
  }

  #send(packet: Packet): void {
    const bytes = generate(packet);
    if (!joins) return this.#socket.send(bytes);
    if (this.#waiting.length === 0) {
      setImmediate(() => {
        this.#socket.send(Buffer.concat(this.#waiting));
        this.#waiting = [];
      });
    }
    this.#waiting.push(bytes);
  }
}
