import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate, type Packet, parser } from 'mqtt-packet';
import { openEmbedded } from '../../functions/adapters/embedded/embedded.js';
import { functionClock, systemClock } from '../../functions/adapters/system/clock.js';
import type { Authenticator } from '../../functions/ports/authenticator.js';
import type { EdgeChannel } from '../../functions/ports/channels.js';
import { PortError } from '../../functions/ports/errors.js';
import type { Gateway } from '../../functions/ports/gateway.js';
import type { PresenceRow, PresenceStore } from '../../functions/ports/store.js';
import { silent } from '../../functions/ports/telemetry.js';
import { GatewayEdge } from '../../functions/runtime/gateway-edge.js';
import { GatewayFrames, type Reply } from '../../functions/runtime/gateway-frames.js';
import { Presence } from '../../functions/runtime/presence.js';
import { Publisher } from '../../functions/runtime/publisher.js';
import { type RemoteCommands, type Seen, toCommandRecord } from '../../functions/runtime/remote-commands.js';
import { takeOverWith } from '../../functions/runtime/take-over.js';
import { Worker } from '../../functions/runtime/worker.js';
import { commandTopic } from '../../functions/topics/command-topic.js';
import { Routes } from '../../functions/topics/routes.js';
import { MemoryConnections } from '../doubles/memory-connections.js';
import { defaultLimits } from '../simulation/manner.js';
import { Inbox, type Scope } from '../support/waiting.js';

const NOBODY: EdgeChannel = { deliver() {}, drained: async () => {}, takenOver() {}, comeAgain() {} };
const LIMITS = {
  gatewayPostsPerS: 1_000,
  gatewayPostsMax: 16,
  sendBufferMaxBytes: 1_000_000,
  gatewaySilenceMaxMs: 800,
};

/** A client's end: a text WebSocket's, without its text. */
export class GatewayClient {
  readonly packets = new Inbox<Packet>();
  id: string;
  number = 0;
  readonly #stage: GatewayStage;
  readonly #incoming = parser({ protocolVersion: 5 });
  /** Numbers of the worker's frames, as they came. */
  readonly workerFrames: number[] = [];

  constructor(stage: GatewayStage, id: string) {
    this.#stage = stage;
    this.id = id;
    this.#incoming.on('packet', (packet) => this.packets.add(packet));
  }

  /** One frame of these packets. */
  send(...packets: object[]): Promise<Reply> {
    return this.frame(Buffer.concat(packets.map((packet) => generate(packet as Packet, { protocolVersion: 5 }))));
  }

  async frame(bytes: Uint8Array, isPart = false, seen?: Seen): Promise<Reply> {
    this.number += 1;
    const frame = { number: this.number, bytes, isPart, ...(seen && { seen }) };
    const reply = await this.#stage.frames.receive(this.id, frame);
    if ('bytes' in reply) this.take(reply.bytes);
    return reply;
  }

  take(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#incoming.parse(Buffer.from(bytes));
  }

  publishes(): string[] {
    return this.packets.all.flatMap((packet) => (packet.cmd === 'publish' ? [String(packet.payload)] : []));
  }
}

/** The gateway edge and a worker, on the embedded log and store, with a gateway between that is none. */
export class GatewayStage {
  readonly connections = new MemoryConnections();
  readonly clients = new Map<string, GatewayClient>();
  readonly closed: string[] = [];
  frames!: GatewayFrames;
  worker: Worker | undefined;
  /** What the next posts come to; nothing: they arrive. */
  readonly failures: (PortError | 'lost-answer' | 'lost')[] = [];
  /** Of who comes next. */
  expiresAtMs: number | undefined;
  /** Where the edge dies: three times over a will, and between the move of a row and what its frame tells. */
  dies: 'before-publishing' | 'before-settling' | 'before-telling' | 'after-moving' | undefined;
  presence!: PresenceStore;
  /** Of the worker that posted last. */
  epoch = 0;
  #start!: () => Promise<Worker>;
  #ids = 0;

  static async start(scope: Scope, more: Partial<typeof LIMITS> = {}): Promise<GatewayStage> {
    const stage = new GatewayStage();
    const directory = mkdtempSync(join(tmpdir(), 'pulsegate-gateway-'));
    const { log, store, close } = await openEmbedded(directory);
    const clock = systemClock;
    const routes = new Routes();
    const limits = { ...defaultLimits(), mayRepeat: true, keepAliveFixedS: 540 };
    const publisher = new Publisher({ log, store, routes, discover: (topic) => stage.worker?.discover(topic) ?? null });
    const gateway: Gateway = {
      post: async (id, text) => stage.#post(id, text),
      close: async (id) => void stage.closed.push(id),
    };
    const tell = async (commands: RemoteCommands) => {
      const isMove = commands.commands.length === 0;
      if (stage.dies !== undefined && !isMove) throw new Error(stage.dies);
      await log.append(commandTopic(0), toCommandRecord(commands));
    };
    const { inbound } = store;
    stage.presence = store.presence;
    const authenticator: Authenticator = {
      authenticate: async () => {
        const { expiresAtMs } = stage;
        return { admitted: true, principal: '', ...(expiresAtMs !== undefined && { expiresAtMs }) };
      },
    };
    const { connections } = stage;
    const presence = stage.#mortal(
      store.presence,
      'put',
      (row) => (row as PresenceRow).will === null && 'before-settling',
    );
    const edgePublisher = stage.#mortal(publisher, 'publish', () => 'before-publishing');
    const takeOver = takeOverWith({ log, gateway });
    const others = { clock: functionClock, telemetry: silent, authenticator, inbound, takeOver, tell };
    const edgeParts = { ...others, presence, publisher: edgePublisher, connections };
    stage.frames = new GatewayFrames(edgeParts, new GatewayEdge(edgeParts, limits), 200_000);
    const frame = (epoch: number, counter: number, bytes: Uint8Array) =>
      JSON.stringify([epoch, counter, Buffer.from(bytes).toString('base64')]);
    const shared = { clock, telemetry: silent, log, store, routes, publisher, edge: NOBODY };
    stage.#start = () =>
      Worker.start(
        {
          ...shared,
          presence: new Presence({ store: store.presence, clock, edge: () => 'worker' }),
          gateway: { gateway, connections: stage.connections, frame, limits: { ...LIMITS, ...more } },
        },
        { shard: 0, owner: 'worker', limits },
      );
    await stage.startWorker();
    scope.after(async () => {
      await stage.worker?.close();
      await close();
      rmSync(directory, { recursive: true });
    });
    return stage;
  }

  async startWorker(): Promise<void> {
    this.worker = await this.#start();
  }

  async open(resumes: string | null = null): Promise<GatewayClient> {
    this.#ids += 1;
    const client = new GatewayClient(this, `gw-${this.#ids}`);
    await this.frames.open(client.id, 'p', resumes);
    this.clients.set(client.id, client);
    return client;
  }

  async connect(clientId: string, more: object = {}): Promise<GatewayClient> {
    const client = await this.open();
    const { properties, ...others } = more as { properties?: object };
    const head = { cmd: 'connect', protocolId: 'MQTT', protocolVersion: 5, keepalive: 30, clean: false };
    await client.send({ ...head, clientId, properties: { sessionExpiryInterval: 100, ...properties }, ...others });
    return client;
  }

  /** The edge's part: the edge dies where this call is the one that it dies before. */
  #mortal<P extends object>(part: P, name: string, where: (first: unknown) => GatewayStage['dies'] | false): P {
    return new Proxy(part, {
      get: (_, key) => {
        const value = Reflect.get(part, key, part) as (...args: unknown[]) => unknown;
        return async (...args: unknown[]) => {
          if (key === name && this.dies !== undefined && where(args[0]) === this.dies) throw new Error(this.dies);
          return value.apply(part, args);
        };
      },
    });
  }

  #post(id: string, text: string): void {
    const failure = this.failures.shift();
    if (failure instanceof PortError) throw failure;
    const client = this.clients.get(id);
    if (client === undefined) throw new PortError('gone', id);
    const [epoch, counter, bytes] = JSON.parse(text) as [number, number, string];
    this.epoch = epoch;
    if (failure === 'lost') return;
    // As the client half does: what is repeated is known by its number.
    if (client.workerFrames.at(-1) !== counter) client.take(Buffer.from(bytes, 'base64'));
    client.workerFrames.push(counter);
    if (failure === 'lost-answer') throw new PortError('unavailable', 'no answer');
  }
}

export const publish = (topic: string, payload: string, qos: 0 | 1 | 2, messageId?: number, more: object = {}) => ({
  cmd: 'publish',
  topic,
  payload,
  qos,
  messageId,
  dup: false,
  retain: false,
  ...more,
});

export const subscribe = (topic: string, qos: 0 | 1 | 2 = 1, messageId = 1) => ({
  cmd: 'subscribe',
  messageId,
  subscriptions: [{ topic, qos, nl: false, rap: false, rh: 0 }],
});
