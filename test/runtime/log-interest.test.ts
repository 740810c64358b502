import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Log } from '../../functions/ports/log.js';
import { LogInterest } from '../../functions/runtime/log-interest.js';
import { LogTopics } from '../../functions/runtime/log-topics.js';
import { filterMatches } from '../../functions/topics/filter-match.js';
import { keyHash } from '../../functions/topics/key-hash.js';
import { mopRoute } from '../../functions/topics/mop-route.js';
import { Routes } from '../../functions/topics/routes.js';

const MOP = () => new Routes([mopRoute({ namespace: 'public/default' })]);
const topic = (name: string) => `persistent://public/default/${name}`;

test('a filter without wildcards needs the partition of its key, for its history all of them', async () => {
  const stage = new Stage(new Routes(), { mqtt: 4 });
  const names = [0, 1, 2, 3].map((i) => `mqtt-${i}`);
  const own = names[keyHash('a/b') % 4] as string;
  assert.equal(stage.interest.known('a/b', false), null);
  assert.deepEqual(await stage.interest.needs('a/b', false), [own]);
  assert.deepEqual(stage.interest.known('a/b', false), [own]);
  assert.deepEqual(stage.interest.known('$share/g/a/b', false), [own]);
  assert.deepEqual(stage.interest.known('a/b', true), names);
  assert.deepEqual(stage.interest.known('a/+', false), names);
  assert.equal(stage.asked, 1);
});

test('a wildcard over topics of their own needs those that match, and no others', async () => {
  const stage = new Stage(MOP(), { [topic('a')]: 2, [topic('b')]: 1 });
  assert.deepEqual(await stage.interest.needs('a', false), [`${topic('a')}-0`, `${topic('a')}-1`]);
  assert.deepEqual(await stage.interest.needs('+', false), [`${topic('a')}-0`, `${topic('a')}-1`, topic('b')]);
});

test('a topic that comes to be is found once, and only where a filter matches it', async () => {
  const stage = new Stage(MOP(), { [topic('a')]: 1 });
  stage.filters = ['+/x'];
  await stage.interest.needs('+/x', false);
  stage.add('b%2Fx');
  stage.add('c');
  stage.nowMs += 5_000;
  assert.deepEqual(await stage.interest.appeared(assert.fail), [topic('b%2Fx')]);
  stage.nowMs += 5_000;
  assert.deepEqual(await stage.interest.appeared(assert.fail), []);
});

test('a topic that is not there yet is looked for from then on', async () => {
  const stage = new Stage(MOP(), {});
  stage.filters = ['later'];
  assert.deepEqual(await stage.interest.needs('later', false), []);
  stage.add('later');
  stage.nowMs += 5_000;
  assert.deepEqual(await stage.interest.appeared(assert.fail), [topic('later')]);
});

test('a topic that comes to be is found though another filter had the namespace listed before the look', async () => {
  const stage = new Stage(MOP(), { [topic('a')]: 1 });
  stage.filters = ['#'];
  await stage.interest.needs('#', false);
  stage.add('b');
  stage.nowMs += 2_000;
  await stage.interest.needs('other/#', false);
  stage.nowMs += 2_000;
  assert.deepEqual(await stage.interest.appeared(assert.fail), [topic('b')]);
});

test('all of a topic is owed that came to be after a filter that needs it, until a look has found it', async () => {
  const stage = new Stage(MOP(), { [topic('a')]: 1 });
  stage.filters = ['#'];
  await stage.interest.needs('#', false);
  stage.add('b');
  assert.equal(stage.interest.isOwed(topic('a')), false);
  assert.equal(stage.interest.isOwed(topic('b')), true);
  stage.nowMs += 5_000;
  await stage.interest.appeared(assert.fail);
  assert.equal(stage.interest.isOwed(topic('b')), false);
  stage.interest.missed(topic('b'));
  stage.nowMs += 5_000;
  assert.deepEqual(await stage.interest.appeared(assert.fail), [topic('b')]);
});

test('a namespace that cannot be listed keeps nobody from what comes to be in others', async () => {
  const stage = new Stage(MOP(), { [topic('a')]: 1 });
  stage.filters = ['#', 'persistent://public/gone/x'];
  await stage.interest.needs('persistent://public/gone/x', false);
  await stage.interest.needs('#', false);
  stage.isGone = true;
  stage.add('b');
  stage.nowMs += 5_000;
  const failed: string[] = [];
  assert.deepEqual(await stage.interest.appeared((namespace) => failed.push(namespace)), [topic('b')]);
  assert.deepEqual(failed, ['public/gone']);
});

test('a filter that is being made ready counts until it is', async () => {
  const stage = new Stage(MOP(), { [topic('a')]: 1 });
  assert.equal(stage.interest.isNeeded(topic('a')), false);
  await stage.interest.whileComing(['$share/g/a'], async () => {
    assert.equal(stage.interest.isNeeded(topic('a')), true);
  });
  assert.equal(stage.interest.isNeeded(topic('a')), false);
});

test('what is wanted of the named topics goes with the filters, and stays for history that is owed', async () => {
  const stage = new Stage(new Routes(), { mqtt: 2 });
  await stage.interest.needs('a', false);
  assert.deepEqual([...(await stage.interest.wanted())], []);
  stage.filters = ['a'];
  assert.equal((await stage.interest.wanted()).size, 1);
  stage.filters = [];
  stage.replayed = { 'mqtt-0': '1', 'mqtt-1': '1' };
  assert.equal((await stage.interest.wanted()).size, 2);
});

/** A log of topics with so many partitions each, and a shard with filters. */
class Stage {
  readonly interest: LogInterest;
  filters: readonly string[] = [];
  replayed: Record<string, string> | null = null;
  nowMs = 0;
  isGone = false;
  asked = 0;
  readonly #topics: Map<string, number>;

  constructor(routes: Routes, topics: Readonly<Record<string, number>>) {
    this.#topics = new Map(Object.entries(topics));
    const log = {
      partitions: async (name: string) => this.#partitions(name),
      topics: async (namespace: string) => {
        if (this.isGone && namespace === 'public/gone') throw new Error('no such namespace');
        return [...this.#topics.keys()];
      },
    } as unknown as Log;
    const shard = {
      filters: () => this.filters,
      hasMatch: (name: string) => this.filters.some((filter) => filterMatches(filter, name)),
      subscriptions: () => (this.replayed ? [{ replay: { from: this.replayed } }] : []),
    } as unknown as ConstructorParameters<typeof LogInterest>[0]['shard'];
    const clock = { now: () => this.nowMs, after: () => () => {}, unique: () => '' };
    this.interest = new LogInterest({ clock, routes, shard }, new LogTopics({ log, routes }));
  }

  add(name: string): void {
    this.#topics.set(topic(name), 1);
  }

  #partitions(name: string): string[] {
    this.asked += 1;
    const count = this.#topics.get(name) ?? 0;
    return count === 1 ? [name] : Array.from({ length: count }, (_, i) => `${name}-${i}`);
  }
}
