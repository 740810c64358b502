import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PortError } from '../../functions/ports/errors.js';
import type { From, Log, Position } from '../../functions/ports/log.js';
import { silent } from '../../functions/ports/telemetry.js';
import { LogReaders, type LogReadersParts } from '../../functions/runtime/log-readers.js';
import { LogTopics } from '../../functions/runtime/log-topics.js';
import { filterMatches } from '../../functions/topics/filter-match.js';
import { mopRoute } from '../../functions/topics/mop-route.js';
import { Routes } from '../../functions/topics/routes.js';

const MOP = () => new Routes([mopRoute({ namespace: 'public/default' })]);
const topic = (name: string) => `persistent://public/default/${name}`;

test('a partition that cannot be acknowledged holds up no other, and is with the next call', async () => {
  const stage = new Stage(new Routes(), { mqtt: 2 });
  await stage.subscribe('#');
  stage.isFailing = (partition) => partition === 'mqtt-0';
  const rows = ['mqtt-0', 'mqtt-1'].map((partition) => ({ partition, low: '5', done: [] }));
  await assert.rejects(stage.readers.acknowledge(rows));
  assert.deepEqual(stage.acknowledged, { 'mqtt-1': '5' });
  stage.isFailing = () => false;
  await stage.readers.acknowledge([]);
  assert.deepEqual(stage.acknowledged, { 'mqtt-0': '5', 'mqtt-1': '5' });
});

test('a topic or partition that cannot be read at the first look is read from its first entry at the next', async () => {
  const named = new Stage(new Routes(), { mqtt: 1 });
  const mop = new Stage(MOP(), {});
  for (const [stage, added] of [
    [named, 'mqtt-1'],
    [mop, topic('b')],
  ] as const) {
    await stage.subscribe('#');
    if (stage === named) stage.topics.set('mqtt', 2);
    else stage.topics.set(added, 1);
    stage.nowMs += 5_000;
    stage.isFailing = () => true;
    await stage.readers.look();
    assert.equal(stage.read.has(added), false);
    stage.isFailing = () => false;
    stage.nowMs += 5_000;
    await stage.readers.look();
    assert.equal(stage.read.get(added), 'earliest');
  }
});

test('a topic that came to be beside MQTT is owed whole, whoever publishes or subscribes to it before the look', async () => {
  const stage = new Stage(MOP(), {});
  await stage.subscribe('#');
  for (const name of ['b', 'c']) stage.topics.set(topic(name), 1);
  await stage.readers.discover(topic('b'));
  await stage.readers.ready('c', false);
  assert.equal(stage.read.get(topic('b')), 'earliest');
  assert.equal(stage.read.get(topic('c')), 'earliest');
});

test('what the log refuses to a stored subscription is tried again, and keeps nothing else from being read', async () => {
  const [gone, closed, open] = ['persistent://public/gone/x', topic('closed'), topic('open')];
  const stage = new Stage(MOP(), { [gone]: 1, [closed]: 1, [open]: 1 });
  const checkpoints = [gone, closed, open, topic('unwanted')].map((partition) => ({ partition, low: '5', done: [] }));
  stage.store('persistent://public/gone/#', 'closed', 'open');
  stage.isRefusing = (about) => about === 'public/gone' || about === closed;
  await stage.readers.start(checkpoints);
  assert.deepEqual([...stage.read.keys()], [open]);
  assert.deepEqual(stage.forgotten, [topic('unwanted')]);
  assert.equal(stage.said.length, 2);
  stage.nowMs += 5_000;
  await stage.readers.look();
  assert.deepEqual([...stage.read.keys()], [open]);
  assert.equal(stage.said.length, 2);
  stage.isRefusing = () => false;
  stage.nowMs += 5_000;
  await stage.readers.look();
  assert.deepEqual([...stage.read.keys()].sort(), [closed, gone, open].sort());
});

test('a SUBSCRIBE to a topic of a namespace that is not there is refused', async () => {
  const stage = new Stage(MOP(), {});
  stage.isRefusing = (about) => about === 'public/nope';
  await assert.rejects(stage.readers.ready('persistent://public/nope/x', false), { code: 'refused' });
  await stage.readers.ready('persistent://public/there/x', false);
});

/** A log of topics with so many partitions each, all with an entry already. */
class Stage {
  readonly readers: LogReaders;
  readonly topics: Map<string, number>;
  readonly acknowledged: Record<string, Position> = {};
  /** Where reading of a partition began. */
  readonly read = new Map<string, From>();
  isFailing: (partition: string) => boolean = () => false;
  /** Of namespaces and partitions. */
  isRefusing: (about: string) => boolean = () => false;
  readonly forgotten: string[] = [];
  readonly said: string[] = [];
  nowMs = 0;
  readonly #filters: string[] = [];
  readonly #stored: string[] = [];

  constructor(routes: Routes, topics: Readonly<Record<string, number>>) {
    this.topics = new Map(Object.entries(topics));
    const check = (partition: string) => {
      if (this.isFailing(partition)) throw new Error(partition);
      if (this.isRefusing(partition)) throw new PortError('refused', partition);
    };
    const log = {
      partitions: async (name: string) => this.#partitions(name),
      topics: async (namespace: string) => {
        check(namespace);
        return [...this.topics.keys()].filter((name) => name.includes(`://${namespace}/`));
      },
      forget: async (partition: string) => void this.forgotten.push(partition),
      last: async () => '1',
      read: async (partition: string, from: From) => {
        check(partition);
        this.read.set(partition, from);
        return {
          partition,
          read: () => new Promise(() => {}),
          acknowledge: async (low: Position) => {
            check(partition);
            this.acknowledged[partition] = low;
          },
          close: async () => {},
        };
      },
    } as unknown as Log;
    const shard = {
      filters: () => this.#filters,
      hasMatch: (name: string) => this.#filters.some((filter) => filterMatches(filter, name)),
      subscriptions: () => this.#stored.map((filter) => ({ filter, since: {} })),
      low: () => '1',
      follow() {},
      unfollow() {},
      caughtUp() {},
    } as unknown as LogReadersParts['shard'];
    const clock = { now: () => this.nowMs, after: () => () => {}, unique: () => '' };
    this.readers = new LogReaders({
      clock,
      telemetry: { ...silent, log: (_level, event) => void this.said.push(event) },
      log,
      routes,
      topics: new LogTopics({ log, routes }),
      shard,
      name: 'shard',
      limits: { partitionsMax: 10, lingerMs: 0 },
      handOut: async () => {},
      failed: (error) => assert.fail(String(error)),
      retained: async () => {},
    });
  }

  store(...filters: string[]): void {
    this.#filters.push(...filters);
    this.#stored.push(...filters);
  }

  async subscribe(filter: string): Promise<void> {
    await this.readers.ready(filter, false);
    this.#filters.push(filter);
  }

  #partitions(name: string): string[] {
    const count = this.topics.get(name) ?? 0;
    if (name.includes('://')) return count === 0 ? [] : [name];
    return Array.from({ length: count }, (_, i) => `${name}-${i}`);
  }
}
