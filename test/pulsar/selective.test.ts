import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { keyHash } from '../../functions/topics/key-hash.js';
import { StockClient } from '../support/clients.js';
import { Program } from '../support/program.js';
import type { Pulsar } from '../support/pulsar.js';
import { produce } from '../support/pulsar-reader.js';
import { within } from '../support/waiting.js';
import { admin, KEPT, namespaceWith, transports } from './transports.js';

const PARTITIONS = 3;
const ROUTES = `quiet/# -> keyed:quiet?partitions=${PARTITIONS}, devices/{id}/cmd -> templated:commands?partitions=${PARTITIONS}, old/# -> mop:NAMESPACE, # -> keyed:rest?partitions=${PARTITIONS}`;
/** Topics and partitions that somebody else makes are looked for every five seconds. */
const LOOKED_FOR_MS = 20_000;

for (const { name, pulsar, settings } of await transports()) {
  describe(`what is read of Pulsar (${name})`, { concurrency: true }, () => {
    const begin = async (t: { after(end: () => Promise<void>): void }) => {
      const namespace = await namespaceWith(pulsar, KEPT);
      const program = await Program.start(t, {
        ...settings(),
        PULSEGATE_PULSAR_NAMESPACE: namespace,
        PULSEGATE_ROUTES: ROUTES.replace('NAMESPACE', namespace),
        PULSEGATE_LINGER_MS: '0',
      });
      return { namespace, client: await StockClient.connect(t, program.url, 5), read: readingOf(pulsar, namespace) };
    };

    test('a route without subscribers costs no message read, and Pulsar keeps nothing for it', async (t) => {
      const { client, read } = await begin(t);
      await client.subscribe('devices/7/cmd');
      for (let i = 0; i < 30; i += 1) {
        await client.publish(`quiet/${i}`, 'x', { qos: i % 2 === 0 ? 1 : 2, retain: i % 3 === 0 });
        await client.publish(`devices/${i}/cmd`, 'x', { qos: 1 });
      }
      await client.messages.take('the one that is subscribed');
      const quiet = await read('quiet', PARTITIONS);
      assert.deepEqual(quiet, Array(PARTITIONS).fill({ messagesOut: 0, subscriptions: [] }));
      // Of what is subscribed, the partition of its key alone.
      const commands = await read('commands', PARTITIONS);
      const own = keyHash('7') % PARTITIONS;
      for (const [i, { messagesOut, subscriptions }] of commands.entries()) {
        if (i === own) assert.ok(messagesOut > 0 && subscriptions.includes('pulsegate-shard-0'));
        else assert.deepEqual({ messagesOut, subscriptions }, { messagesOut: 0, subscriptions: [] });
      }
    });

    test('SUBSCRIBE begins the reading, and UNSUBSCRIBE ends it', async (t) => {
      const { client, read } = await begin(t);
      for (let i = 0; i < 10; i += 1) await client.publish(`room/${i}`, 'before', { qos: 1 });
      const before = await read('rest', PARTITIONS);
      assert.ok(before.every(({ messagesOut }) => messagesOut === 0));
      await client.subscribe('room/#');
      for (let i = 0; i < 10; i += 1) await client.publish(`room/${i}`, 'during', { qos: 1 });
      await client.messages.until('all', (all) => all.length === 10);
      await client.unsubscribe('room/#');
      const idle = async () =>
        (await read('rest', PARTITIONS)).every(({ subscriptions }) => subscriptions.length === 0);
      await within('Pulsar has no subscription left', becomes(idle), LOOKED_FOR_MS);
      const after = await read('rest', PARTITIONS);
      for (let i = 0; i < 10; i += 1) await client.publish(`room/${i}`, 'after', { qos: 1 });
      assert.deepEqual(await read('rest', PARTITIONS), after);
      assert.equal(client.messages.all.length, 10);
      assert.ok(client.messages.all.every(({ payload }) => payload === 'during'));
    });

    test('a topic and a partition that somebody makes later are read from their first message', async (t) => {
      const { namespace, client } = await begin(t);
      await client.subscribe(['old/+/state', 'devices/+/cmd', 'room/#']);
      const put = (topic: string, key: string, payload: string) =>
        produce(pulsar, `${namespace}/${topic}`, { key, payload });
      for (const text of ['one', 'two']) await put('old%2Fnew%2Fstate', '', text);
      for (const [topic, key] of [
        ['rest', keyIn('room/', PARTITIONS + 2)],
        ['commands', keyIn('', PARTITIONS + 2)],
      ] as const) {
        await admin(pulsar, 'POST', `persistent/${namespace}/${topic}/partitions`, PARTITIONS + 2);
        for (const text of ['one', 'two']) await put(`${topic}-partition-${PARTITIONS + 1}`, key, text);
      }
      await client.messages.until('all six', (all) => all.length === 6, LOOKED_FOR_MS);
      await put('old%2Fnew%2Fstate', '', 'three');
      await client.messages.until('and the next', (all) => all.length === 7);
      const byTopic = new Map<string, string[]>();
      for (const { topic, payload } of client.messages.all) {
        byTopic.set(topic, [...(byTopic.get(topic) ?? []), payload]);
      }
      assert.deepEqual(byTopic.get('old/new/state'), ['one', 'two', 'three']);
      byTopic.delete('old/new/state');
      assert.deepEqual(
        [...byTopic.values()],
        [
          ['one', 'two'],
          ['one', 'two'],
        ],
      );
    });
  });
}

/** Of each partition, as Pulsar itself has counted. */
function readingOf(pulsar: Pulsar, namespace: string) {
  return (topic: string, partitions: number) =>
    Promise.all(
      Array.from({ length: partitions }, async (_, i) => {
        const path = `persistent/${namespace}/${topic}-partition-${i}/stats`;
        const stats = (await admin(pulsar, 'GET', path)) as { msgOutCounter: number; subscriptions: object };
        return { messagesOut: stats.msgOutCounter, subscriptions: Object.keys(stats.subscriptions) };
      }),
    );
}

/** A key that has the last of so many partitions. */
function keyIn(prefix: string, partitions: number): string {
  for (let i = 0; ; i += 1) if (keyHash(`${prefix}${i}`) % partitions === partitions - 1) return `${prefix}${i}`;
}

async function becomes(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((again) => setTimeout(again, 100));
}
