import { setImmediate as nextTurn } from 'node:timers';
import { generate, type Packet, parser } from 'mqtt-packet';
import type { Peer, PeerEvents } from '../../../functions/ports/peer.js';
import { silent, type Telemetry } from '../../../functions/ports/telemetry.js';
import { Broker, Machine } from '../broker.js';
import { Disk } from '../disk.js';
import { defaultLimits } from '../manner.js';
import { Timeline } from '../timeline.js';
import { type Line, line, type Message, type Options } from './broker-model.js';

interface Client {
  level: 4 | 5;
  events: PeerEvents | null;
  /** To be answered, in order. */
  unanswered: { packetId: number; answer: 'puback' | 'pubrec' | 'pubcomp' }[];
  nextPacketId: number;
}

/** The program itself, on a machine that does everything at once, spoken to as the model is. */
export class RealBroker {
  readonly sent = new Map<string, Line[]>();
  /** What the program has to say of itself. */
  readonly problems: string[] = [];
  readonly timeline = new Timeline(1_790_000_000_000);
  readonly #clients = new Map<string, Client>();
  readonly #broker: Broker;

  constructor() {
    const ms = () => 0;
    const manner = { toApplyMs: ms, toFlushMs: ms, toAnswerMs: ms, fails: () => null, keptByCrash: ms, note() {} };
    const log: Telemetry['log'] = (level, event, fields) => {
      if (level === 'error') this.problems.push(`${event} ${JSON.stringify(fields)}`);
    };
    const telemetry = { ...silent, log };
    const machine = new Machine(this.timeline, new Disk(this.timeline, manner), telemetry);
    // What is saved because it waits too long moves ahead of retained messages that are still to come; the model knows no saving.
    const limits = { ...defaultLimits(), unsavedMaxMs: 3_600_000 };
    this.#broker = new Broker(machine, { limits, partitions: 1 });
  }

  async start(): Promise<void> {
    const started = this.#broker.start();
    await this.pass(1);
    await started;
  }

  connect(id: string, level: 4 | 5, { clean, expiryS, receiveMaximum, will }: ConnectWish): void {
    const client = this.#clients.get(id) ?? { level, events: null, unanswered: [], nextPacketId: 1 };
    this.#clients.set(id, client);
    client.unanswered = [];
    const packets = parser({ protocolVersion: level });
    let isOver = false;
    const peer: Peer = {
      address: id,
      bufferedBytes: 0,
      send: (bytes) => void (isOver || packets.parse(Buffer.from(bytes))),
      pause() {},
      resume() {},
      close: () => {
        isOver = true;
        // In its own time, as sockets do.
        this.timeline.after(0, () => events.closed());
      },
    };
    const events = this.#broker.accept!(peer);
    packets.on('packet', (packet) => {
      if (client.events === events) this.#take(id, client, packet);
    });
    client.events = events;
    const properties = { sessionExpiryInterval: expiryS, receiveMaximum };
    this.#send(client, {
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: level,
      clientId: id,
      clean,
      keepalive: 0,
      ...(will && {
        will: {
          ...will.message,
          payload: Buffer.from(will.message.payload),
          properties: { willDelayInterval: will.delayS },
        },
      }),
      ...(level === 5 && { properties }),
    });
  }

  disconnect(id: string): void {
    const client = this.#clients.get(id)!;
    this.#send(client, { cmd: 'disconnect' });
    client.events = null;
  }

  lose(id: string): void {
    const client = this.#clients.get(id)!;
    const { events } = client;
    client.events = null;
    this.timeline.after(0, () => events?.closed());
  }

  subscribe(
    id: string,
    filter: string,
    { qos, noLocal, retainAsPublished, retainHandling, identifier }: Options,
  ): void {
    const client = this.#clients.get(id)!;
    const options = client.level === 5 && { nl: noLocal, rap: retainAsPublished, rh: retainHandling };
    const properties = identifier !== undefined && { properties: { subscriptionIdentifier: identifier } };
    const messageId = this.#packetId(client);
    this.#send(client, {
      cmd: 'subscribe',
      messageId,
      subscriptions: [{ topic: filter, qos, ...options }],
      ...properties,
    });
  }

  unsubscribe(id: string, filter: string): void {
    const client = this.#clients.get(id)!;
    this.#send(client, { cmd: 'unsubscribe', messageId: this.#packetId(client), unsubscriptions: [filter] });
  }

  publish(id: string, { topic, payload, qos, retain }: Message): void {
    const client = this.#clients.get(id)!;
    const messageId = qos > 0 ? this.#packetId(client) : undefined;
    this.#send(client, { cmd: 'publish', topic, payload: Buffer.from(payload), qos, retain, dup: false, messageId });
  }

  acknowledge(id: string): void {
    const client = this.#clients.get(id)!;
    const oldest = client.unanswered.shift();
    if (oldest) this.#send(client, { cmd: oldest.answer, messageId: oldest.packetId });
  }

  async pass(ms: number): Promise<void> {
    await new Promise<void>((resolve) => nextTurn(resolve));
    let isOver = false;
    this.timeline.after(ms, () => {
      isOver = true;
    });
    await this.timeline.run(() => isOver);
  }

  #take(id: string, client: Client, packet: Packet): void {
    const say = (said: Line) => void this.sent.set(id, [...(this.sent.get(id) ?? []), said]);
    switch (packet.cmd) {
      case 'connack':
        return say(`connack${packet.sessionPresent ? ' present' : ''}`);
      case 'suback':
        return say(`suback ${packet.granted.join()}`);
      case 'unsuback':
        return say('unsuback');
      case 'publish': {
        const { topic, qos, retain, dup, messageId: packetId = 0 } = packet;
        const found = packet.properties?.subscriptionIdentifier ?? [];
        const identifiers = Array.isArray(found) ? found : [found];
        if (qos > 0) client.unanswered.push({ packetId, answer: qos === 1 ? 'puback' : 'pubrec' });
        return say(line({ topic, payload: packet.payload.toString(), qos, retain, identifiers }, dup));
      }
      case 'pubrel':
        client.unanswered.push({ packetId: packet.messageId ?? 0, answer: 'pubcomp' });
        return say('pubrel');
      case 'pubrec':
        return this.#send(client, { cmd: 'pubrel', messageId: packet.messageId ?? 0 });
      default:
    }
  }

  #packetId(client: Client): number {
    client.nextPacketId = (client.nextPacketId % 65_535) + 1;
    return client.nextPacketId;
  }

  #send(client: Client, packet: object): void {
    const { events } = client;
    const bytes = generate(packet as Packet, { protocolVersion: client.level });
    this.timeline.after(0, () => events?.received(bytes));
  }
}

export interface ConnectWish {
  clean: boolean;
  expiryS: number;
  receiveMaximum: number;
  will: { message: Message; delayS: number } | null;
}
