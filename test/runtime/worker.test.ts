import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generate, type Packet } from 'mqtt-packet';
import type { Peer } from '../../functions/ports/peer.js';
import { silent } from '../../functions/ports/telemetry.js';
import { Broker, Machine } from '../simulation/broker.js';
import { Disk } from '../simulation/disk.js';
import { SimulatedLog } from '../simulation/log.js';
import { defaultLimits } from '../simulation/manner.js';
import { Timeline } from '../simulation/timeline.js';

/** One process after another on a simulated machine. `fails`: whether an operation of that lane of the disk fails, unmade. */
class Stage {
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

  append(properties: Record<string, string> = {}): void {
    const options = { partitions: 1, nowMs: () => this.timeline.nowMs, step: () => 0, recordMaxBytes: 1_000 };
    const log = new SimulatedLog(this.machine.disk, this.machine.log, options);
    void log.append('mqtt', { key: 'x', payload: Uint8Array.of(1), properties });
  }

  /** A connection of client `c`, at level 5. */
  dial(clean: boolean): (packet: object) => void {
    const peer: Peer = { address: 'p', bufferedBytes: 0, send() {}, pause() {}, resume() {}, close() {} };
    const events = this.#broker!.accept!(peer);
    const send = (packet: object) => events.received(generate(packet as Packet, { protocolVersion: 5 }));
    const properties = { sessionExpiryInterval: 100 };
    send({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 5, clientId: 'c', clean, keepalive: 0, properties });
    return send;
  }

  async subscribed(): Promise<(packet: object) => void> {
    const send = this.dial(false);
    send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'x', qos: 1, nl: false, rap: false, rh: 0 }] });
    await this.pass(100);
    assert.equal(this.machine.store.sessions.size, 1);
    return send;
  }
}

async function onStage(): Promise<Stage> {
  const stage = new Stage();
  await stage.start();
  return stage;
}

test('the checkpoint does not pass a retained publication whose row is not written', async () => {
  const stage = await onStage();
  await stage.subscribed();
  stage.fails = (lane) => lane.startsWith('retained');
  stage.append({ 'mqtt-qos': '0', 'mqtt-retain': 'true' });
  await stage.pass(20_000);
  assert.equal(stage.low, null);
  stage.fails = () => false;
  await stage.pass(20_000);
  assert.notEqual(stage.low, null);
  assert.equal(stage.machine.store.retained.get('x')?.position, stage.low);
});

test('a checkpoint that was not written is written later, though nothing new has come', async () => {
  const stage = await onStage();
  await stage.subscribed();
  let failures = 0;
  stage.fails = (lane) => lane.startsWith('shard') && failures++ === 0;
  stage.append();
  await stage.pass(20_000);
  assert.notEqual(failures, 0);
  assert.notEqual(stage.low, null);
});

test('a write that is repeated after its session has ended leaves nothing', async () => {
  const stage = await onStage();
  const send = await stage.subscribed();
  send({ cmd: 'disconnect', reasonCode: 0 });
  await stage.pass(100);
  let failures = 0;
  stage.fails = (lane) => lane === 'c' && failures++ === 0;
  stage.append();
  await stage.until(() => failures > 0);
  stage.dial(true);
  await stage.pass(5_000);
  assert.equal(stage.machine.store.outbound.size, 0);
  assert.notEqual(stage.low, null);
});

test('a crash right behind the DISCONNECT that ends a session leaves nothing of it', async () => {
  const stage = await onStage();
  const send = await stage.subscribed();
  const version = stage.machine.store.version;
  send({ cmd: 'disconnect', reasonCode: 0, properties: { sessionExpiryInterval: 0 } });
  const { presence, sessions } = stage.machine.store;
  await stage.until(() => presence.size === 0 || stage.machine.store.version > version);
  // Until it is flushed.
  await stage.pass(1);
  stage.crash();
  assert.equal(sessions.size, 1);
  await stage.start();
  await stage.pass(5_000);
  assert.equal(sessions.size, 0);
  assert.equal(presence.size, 0);
});
