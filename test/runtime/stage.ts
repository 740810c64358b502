import assert from 'node:assert/strict';
import { generate, type Packet, parser } from 'mqtt-packet';
import type { Peer } from '../../functions/ports/peer.js';
import { silent } from '../../functions/ports/telemetry.js';
import { Broker, Machine } from '../simulation/broker.js';
import { Disk } from '../simulation/disk.js';
import { SimulatedLog } from '../simulation/log.js';
import { defaultLimits } from '../simulation/manner.js';
import { Timeline } from '../simulation/timeline.js';

/** A connection at level 5 that answers what it gets, as long as `answers`. */
export class StageClient {
  readonly #send: (bytes: Uint8Array) => void;
  readonly drop: () => void;
  /** Payloads. */
  readonly received: string[] = [];
  answers = true;

  constructor(accept: NonNullable<Broker['accept']>) {
    const incoming = parser({ protocolVersion: 5 });
    incoming.on('packet', (packet) => this.#take(packet));
    const peer: Peer = {
      address: 'p',
      bufferedBytes: 0,
      // Not within the step that sends it: the parser is not to be entered twice.
      send: (bytes) => queueMicrotask(() => incoming.parse(Buffer.from(bytes))),
      pause() {},
      resume() {},
      close() {},
    };
    const events = accept(peer);
    this.#send = (bytes) => events.received(bytes);
    this.drop = () => events.closed();
  }

  send(packet: object): void {
    this.#send(generate(packet as Packet, { protocolVersion: 5 }));
  }

  subscribe(topic: string, qos: 0 | 1 | 2 = 1): void {
    this.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos, nl: false, rap: false, rh: 0 }] });
  }

  disconnect(sessionExpiryInterval = EXPIRY_S): void {
    this.send({ cmd: 'disconnect', reasonCode: 0, properties: { sessionExpiryInterval } });
  }

  #take(packet: Packet): void {
    if (packet.cmd === 'publish') this.received.push(packet.payload.toString());
    const answers = {
      publish: [null, 'puback', 'pubrec'][packet.cmd === 'publish' ? packet.qos : 0],
      pubrel: 'pubcomp',
    };
    const cmd = answers[packet.cmd as keyof typeof answers];
    if (cmd && this.answers) this.send({ cmd, messageId: packet.messageId, reasonCode: 0 });
  }
}

const EXPIRY_S = 100;

/** One process after another on a simulated machine. `fails`: whether an operation of that lane of the disk fails, unmade. */
export class Stage {
  fails: (lane: string) => boolean = () => false;
  readonly timeline = new Timeline(1_000_000);
  readonly machine: Machine;
  #broker: Broker | null = null;

  constructor() {
    const ms = () => 1;
    const fails = (lane: string) => (this.fails(lane) ? ({ code: 'unavailable', applied: false } as const) : null);
    const manner = { toApplyMs: ms, toFlushMs: ms, toAnswerMs: ms, fails, keptByCrash: () => 0, note() {} };
    this.machine = new Machine(this.timeline, new Disk(this.timeline, manner), silent);
  }

  get low(): string | null {
    return this.machine.store.shards.get('0')?.checkpoints.get('mqtt-0')?.low ?? null;
  }

  async start(): Promise<void> {
    this.#broker = new Broker(this.machine, { limits: defaultLimits(), partitions: 1 });
    const started = this.#broker.start();
    await this.pass(100);
    await started;
  }

  crash(): void {
    this.#broker?.crash();
  }

  async pass(ms: number): Promise<void> {
    let isOver = false;
    this.timeline.after(ms, () => {
      isOver = true;
    });
    await this.until(() => isOver);
  }

  async until(isSo: () => boolean): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    await this.timeline.run(isSo);
    assert.ok(isSo());
  }

  /** Topic `x`. */
  append(properties: Record<string, string> = {}, text = '\u0001'): void {
    const options = { partitions: 1, nowMs: () => this.timeline.nowMs, step: () => 0, recordMaxBytes: 1_000 };
    const log = new SimulatedLog(this.machine.disk, this.machine.log, options);
    void log.append('mqtt', { key: 'x', payload: Buffer.from(text), properties });
  }

  connect(clientId: string, options: { clean?: boolean; properties?: object } = {}): StageClient {
    const client = new StageClient(this.#broker!.accept!);
    const properties = { sessionExpiryInterval: EXPIRY_S, ...options.properties };
    const { clean = false } = options;
    const head = { cmd: 'connect', protocolId: 'MQTT', protocolVersion: 5, keepalive: 0 };
    client.send({ ...head, clientId, clean, properties });
    return client;
  }

  /** Client `c`, to topic `x`. */
  async subscribed(filter = 'x', clientId = 'c'): Promise<StageClient> {
    const client = this.connect(clientId);
    client.subscribe(filter, 2);
    await this.pass(100);
    assert.ok(this.machine.store.sessions.get(clientId));
    return client;
  }
}

export async function onStage(): Promise<Stage> {
  const stage = new Stage();
  await stage.start();
  return stage;
}
