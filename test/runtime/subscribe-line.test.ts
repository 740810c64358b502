import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { Read } from '../../functions/fan-out/effects.js';
import { PortError } from '../../functions/ports/errors.js';
import type { SessionCommand, SubscribeAsked } from '../../functions/ports/session-commands.js';
import { SubscribeLine } from '../../functions/runtime/subscribe-line.js';

const UNREACHABLE = new PortError('unavailable', 'nobody is there');

test('what is read already is told in the same turn', () => {
  const stage = new Stage({ known: ['p'] });
  stage.subscribe('a', 1, 'x');
  assert.deepEqual(stage.told, ['a 1 x p']);
});

test('what has to be opened first is told when it is, and the client’s later packets after it', async () => {
  const stage = new Stage();
  stage.subscribe('a', 1, 'x');
  stage.unsubscribe('a', 2);
  stage.unsubscribe('b', 3);
  await turn();
  assert.deepEqual(stage.told, ['b 3']);
  stage.answer('x', ['p', 'q']);
  await turn();
  assert.deepEqual(stage.told, ['b 3', 'a 1 x p,q', 'a 2']);
});

test('a log that cannot be reached is asked again, later each time, and then it works', async () => {
  const stage = new Stage();
  stage.subscribe('a', 1, 'x');
  for (const ms of [100, 200, 400]) {
    stage.answer('x', UNREACHABLE);
    await turn();
    assert.deepEqual(stage.waits(), [ms]);
    await stage.pass(ms);
  }
  stage.answer('x', ['p']);
  await turn();
  assert.deepEqual(stage.told, ['a 1 x p']);
});

for (const [code, reasonCode] of [
  ['refused', 0x87],
  ['full', 0x97],
] as const) {
  test(`a log that answers ${code} gives SUBACK 0x${reasonCode.toString(16)} at once`, async () => {
    const stage = new Stage();
    stage.subscribe('a', 1, 'x');
    stage.answer('x', new PortError(code, 'no'));
    await turn();
    assert.deepEqual(stage.told, [`a 1 x 0x${reasonCode.toString(16)}`]);
    assert.deepEqual(stage.counted, ['subscriptions-unreadable']);
  });
}

test('a log that stays away for 10 s gives SUBACK 0x80', async () => {
  const stage = new Stage();
  stage.subscribe('a', 1, 'x');
  while (stage.told.length === 0) {
    stage.answer('x', UNREACHABLE);
    await turn();
    for (const ms of stage.waits()) await stage.pass(ms);
  }
  assert.deepEqual(stage.told, ['a 1 x 0x80']);
  assert.ok(stage.nowMs <= 10_000);
});

test('a filter that is none is not looked for', () => {
  const stage = new Stage();
  stage.subscribe('a', 1, 'x/#/y');
  assert.deepEqual(stage.told, ['a 1 x/#/y ']);
});

test('of 1,000 packets that wait the next is answered 0x97, and the others keep their order', async () => {
  const stage = new Stage();
  for (let packetId = 1; packetId <= 1_001; packetId++) stage.subscribe('a', packetId, 'x');
  assert.deepEqual(stage.told, ['a 1001 x 0x97']);
  stage.known = ['p'];
  stage.answer('x', ['p']);
  await turn();
  assert.deepEqual(
    stage.told.slice(1),
    Array.from({ length: 1_000 }, (_, i) => `a ${i + 1} x p`),
  );
});

/** Readers that answer as they are told, a shard that writes down what it is told, and a clock that goes on when it is told. */
class Stage {
  readonly told: string[] = [];
  readonly counted: string[] = [];
  nowMs = 0;
  known: readonly string[] | null;
  readonly #line: SubscribeLine;
  readonly #asked = new Map<string, { resolve(names: readonly string[]): void; reject(error: Error): void }>();
  readonly #timers: { ms: number; run: () => void }[] = [];

  constructor({ known = null }: { known?: readonly string[] | null } = {}) {
    this.known = known;
    this.#line = new SubscribeLine({
      clock: { now: () => this.nowMs, unique: () => '', after: (ms, run) => this.#after(ms, run) },
      telemetry: { log: () => {}, count: (name: string) => void this.counted.push(name) },
      readers: {
        known: () => this.known,
        ready: (filter: string) =>
          new Promise<readonly string[]>((resolve, reject) => this.#asked.set(filter, { resolve, reject })),
        whileComing: (_filters: readonly string[], run: () => Promise<void>) => run(),
      },
      shard: {
        command: (command: SessionCommand, _now: number, reads?: readonly Read[]) => this.#tell(command, reads),
      },
    });
  }

  subscribe(clientId: string, packetId: number, filter: string): void {
    const options = { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
    const subscriptions: SubscribeAsked['subscriptions'] = [{ filter, ...options }];
    this.#line.take({
      type: 'subscribe',
      clientId,
      connectionNumber: 1,
      packetId,
      subscriptions,
      identifier: null,
      from: null,
    });
  }

  unsubscribe(clientId: string, packetId: number): void {
    this.#line.take({ type: 'unsubscribe', clientId, connectionNumber: 1, packetId, filters: ['x'] });
  }

  answer(filter: string, outcome: readonly string[] | Error): void {
    const asked = this.#asked.get(filter);
    if (outcome instanceof Error) asked?.reject(outcome);
    else asked?.resolve(outcome);
  }

  waits(): number[] {
    return this.#timers.map(({ ms }) => ms);
  }

  async pass(ms: number): Promise<void> {
    this.nowMs += ms;
    for (const { run } of this.#timers.splice(0)) run();
    await turn();
  }

  #after(ms: number, run: () => void): () => void {
    this.#timers.push({ ms, run });
    return () => {};
  }

  #tell(command: SessionCommand, reads?: readonly Read[]): void {
    if (command.type === 'unsubscribe') this.told.push(`${command.clientId} ${command.packetId}`);
    if (command.type !== 'subscribe') return;
    const said = command.subscriptions.map(({ filter }, i) => {
      const read = reads?.[i];
      return `${filter} ${read && 'partitions' in read ? read.partitions : `0x${read?.reasonCode.toString(16)}`}`;
    });
    this.told.push(`${command.clientId} ${command.packetId} ${said.join(' ')}`);
  }
}
