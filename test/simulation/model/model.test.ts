import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { virtually } from '../virtually.js';
import { BrokerModel, type Line, type Options } from './broker-model.js';
import { type ConnectWish, RealBroker } from './real-broker.js';

const CLIENTS = { a: 5, b: 5, c: 4 } as const;
const TOPICS = ['x', 'x/y', 'x/z', '$s/y'];
const FILTERS = [...TOPICS, '#', 'x/#', 'x/+', '+/y', '+'];
const EVER_S = 0xffff_ffff;
/** No sum of the times that pass comes near these, so that it does not matter how late the program is. */
const EXPIRY_MS = 8_000;
const DELAY_MS = 3_000;
const PASSES_MS = [700, 10_000];
const RUNS = Number(process.env.PULSEGATE_MODEL_RUNS ?? 150);

type Name = keyof typeof CLIENTS;

interface System {
  real: RealBroker;
  /** Publications so far, so that each has a payload of its own. */
  payloads: { count: number };
}

abstract class Command implements fc.AsyncCommand<BrokerModel, System> {
  constructor(readonly client: Name) {}

  check(model: Readonly<BrokerModel>): boolean {
    return model.isConnected(this.client);
  }

  async run(model: BrokerModel, system: System): Promise<void> {
    const { real } = system;
    this.act(model, system, real.timeline.nowMs);
    await real.pass(1);
    compare(model, real, `${this}`);
  }

  abstract toString(): string;
  abstract act(model: BrokerModel, system: System, nowMs: number): void;
}

function compare(model: BrokerModel, real: RealBroker, after: string): void {
  assert.deepEqual(real.problems, [], `after ${after}`);
  for (const client of Object.keys(CLIENTS)) {
    assert.deepEqual(byQos(real.sent.get(client)), byQos(model.sent.get(client)), `${client} after ${after}`);
  }
  model.sent.clear();
  real.sent.clear();
}

/** What is of QoS 0 waits for nothing, and so may come before what was there first. */
function byQos(lines: readonly Line[] = []): Record<string, readonly Line[]> {
  const isQos0 = (said: Line) => said.includes(' qos0');
  return { qos0: lines.filter(isQos0), others: lines.filter((said) => !isQos0(said)) };
}

class Connect extends Command {
  constructor(
    client: Name,
    readonly wish: { clean: boolean; persists: boolean; receiveMaximum: number; will: 'none' | 'at-once' | 'delayed' },
  ) {
    super(client);
  }

  override check(): boolean {
    return true;
  }

  act(model: BrokerModel, { real, payloads }: System, nowMs: number): void {
    const level = CLIENTS[this.client];
    const { clean, persists, will } = this.wish;
    const keeps = level === 5 ? persists : !clean;
    const receiveMaximum = level === 5 ? this.wish.receiveMaximum : 65_535;
    const delayMs = level === 5 && will === 'delayed' ? DELAY_MS : 0;
    payloads.count += 1;
    const message = { topic: 'x/y', payload: `will ${payloads.count}`, qos: 1, retain: false } as const;
    // One client's wills only, or their order would be a matter of chance.
    const left = will === 'none' || this.client !== 'a' ? null : { message, delayMs };
    const expiryMs = keeps ? (level === 5 ? EXPIRY_MS : EVER_S * 1000) : 0;
    model.connect(this.client, { expiryMs, receiveMaximum, will: left }, clean, nowMs);
    const expiryS = expiryMs / 1000;
    const asked: ConnectWish = {
      clean,
      expiryS,
      receiveMaximum,
      will: left && { message, delayS: delayMs / 1000 },
    };
    real.connect(this.client, level, asked);
  }

  override toString(): string {
    const { clean, persists, receiveMaximum, will } = this.wish;
    return `${this.client} connect clean=${clean} persists=${persists} receive-maximum=${receiveMaximum} will=${will}`;
  }
}

class Leave extends Command {
  constructor(
    client: Name,
    readonly how: 'disconnect' | 'lose',
  ) {
    super(client);
  }

  act(model: BrokerModel, { real }: System, nowMs: number): void {
    model[this.how](this.client, nowMs);
    real[this.how](this.client);
  }

  override toString(): string {
    return `${this.client} ${this.how}`;
  }
}

class Subscribe extends Command {
  constructor(
    client: Name,
    readonly filter: string,
    readonly asked: Options,
  ) {
    super(client);
  }

  act(model: BrokerModel, { real }: System): void {
    const plain: Options = { qos: this.asked.qos, noLocal: false, retainAsPublished: false, retainHandling: 0 };
    const options = CLIENTS[this.client] === 5 ? this.asked : plain;
    model.subscribe(this.client, this.filter, options);
    real.subscribe(this.client, this.filter, options);
  }

  override toString(): string {
    return `${this.client} subscribe ${this.filter} ${JSON.stringify(this.asked)}`;
  }
}

class Unsubscribe extends Command {
  constructor(
    client: Name,
    readonly filter: string,
  ) {
    super(client);
  }

  act(model: BrokerModel, { real }: System): void {
    model.unsubscribe(this.client, this.filter);
    real.unsubscribe(this.client, this.filter);
  }

  override toString(): string {
    return `${this.client} unsubscribe ${this.filter}`;
  }
}

class Publish extends Command {
  constructor(
    client: Name,
    readonly wish: { topic: string; qos: 0 | 1 | 2; retain: boolean; empty: boolean },
  ) {
    super(client);
  }

  act(model: BrokerModel, { real, payloads }: System): void {
    const { topic, qos, retain, empty } = this.wish;
    payloads.count += 1;
    const message = { topic, qos, retain, payload: empty && retain ? '' : `${payloads.count}` };
    model.publish(this.client, message);
    real.publish(this.client, message);
  }

  override toString(): string {
    return `${this.client} publish ${JSON.stringify(this.wish)}`;
  }
}

class Acknowledge extends Command {
  act(model: BrokerModel, { real }: System): void {
    model.acknowledge(this.client);
    real.acknowledge(this.client);
  }

  override toString(): string {
    return `${this.client} acknowledge`;
  }
}

class Pass implements fc.AsyncCommand<BrokerModel, System> {
  constructor(readonly ms: number) {}

  check(): boolean {
    return true;
  }

  async run(model: BrokerModel, { real }: System): Promise<void> {
    await real.pass(this.ms);
    model.pass(real.timeline.nowMs);
    compare(model, real, `${this}`);
  }

  toString(): string {
    return `pass ${this.ms} ms`;
  }
}

const client = fc.constantFrom(...(Object.keys(CLIENTS) as Name[]));
const qos = fc.constantFrom(...([0, 1, 2] as const));
const options: fc.Arbitrary<Options> = fc
  .record({
    qos,
    noLocal: fc.boolean(),
    retainAsPublished: fc.boolean(),
    retainHandling: fc.constantFrom(...([0, 1, 2] as const)),
    identifier: fc.option(fc.integer({ min: 1, max: 3 }), { nil: null }),
  })
  .map(({ identifier, ...rest }) => ({ ...rest, ...(identifier !== null && { identifier }) }));
const connect = fc
  .record({
    clean: fc.boolean(),
    persists: fc.boolean(),
    receiveMaximum: fc.constantFrom(1, 2, 65_535),
    will: fc.constantFrom(...(['none', 'at-once', 'delayed'] as const)),
  })
  .chain((wish) => client.map((name) => new Connect(name, wish)));
const subscribe = fc.tuple(client, fc.constantFrom(...FILTERS), options).map((of) => new Subscribe(...of));
const publish = fc
  .record({ topic: fc.constantFrom(...TOPICS), qos, retain: fc.boolean(), empty: fc.boolean() })
  .chain((wish) => client.map((name) => new Publish(name, wish)));
const commands = [
  connect,
  fc.tuple(client, fc.constantFrom(...(['disconnect', 'lose'] as const))).map((of) => new Leave(...of)),
  subscribe,
  subscribe,
  fc.tuple(client, fc.constantFrom(...FILTERS)).map((of) => new Unsubscribe(...of)),
  publish,
  publish,
  publish,
  client.map((name) => new Acknowledge(name)),
  client.map((name) => new Acknowledge(name)),
  fc.constantFrom(...PASSES_MS).map((ms) => new Pass(ms)),
];

test('what every client is sent is what a simple model of MQTT says', async () => {
  const property = fc.asyncProperty(fc.commands(commands, { maxCommands: 60, size: 'max' }), async (wanted) => {
    const real = new RealBroker();
    await virtually(
      (run) => real.timeline.after(0, run),
      async () => {
        await real.start();
        await fc.asyncModelRun(() => ({ model: new BrokerModel(), real: { real, payloads: { count: 0 } } }), wanted);
      },
    );
  });
  const seed = process.env.PULSEGATE_MODEL_SEED;
  await fc.assert(property, { numRuns: RUNS, seed: Number(seed ?? 1) });
});
