import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { disordered, repeated } from '../drills/load/reader.js';
import { Program } from '../support/program.js';
import { readAll } from '../support/pulsar-reader.js';
import { Drill } from './drill/drill.js';
import { admin, KEPT, namespaceWith, transports } from './transports.js';

const UNLOADS = 5;
const BETWEEN_MS = 400;

const found = await transports();

describe('a topic that moves to another broker under load', { concurrency: true }, () => {
  for (const { name, pulsar, settings } of found) {
    for (const deduplicationEnabled of [false, true]) {
      const how = deduplicationEnabled ? 'with deduplication' : 'as Pulsar is by default';
      test(`loses nothing, keeps its order, and no QoS 2 comes twice (${name}, ${how})`, async (t) => {
        const namespace = await namespaceWith(pulsar, { ...KEPT, deduplicationEnabled });
        const program = await Program.start(t, { ...settings(), PULSEGATE_PULSAR_NAMESPACE: namespace });
        const drill = new Drill(t, `${name}-${deduplicationEnabled}`, program);
        await drill.begin();
        await drill.isUnderWay();
        for (let i = 0; i < UNLOADS; i += 1) {
          await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
          await admin(pulsar, 'PUT', `persistent/${namespace}/mqtt/unload`);
        }
        await drill.finish(60_000);
        const { acknowledged, subscribers } = drill;
        await Promise.all(subscribers.map((subscriber) => subscriber.has(acknowledged, 30_000)));
        const kept = (await readAll(pulsar, `${namespace}/mqtt`)).map(({ payload }) => payload);
        const isTwo = (payload: string) => payload.includes(':2:');
        const figures = {
          acknowledged: acknowledged.length,
          kept: kept.length,
          keptTwice: repeated(kept).length,
          keptTwiceOfQos2: repeated(kept).filter(isTwo).length,
          deliveredTwice: subscribers.map(({ arrivals }) => repeated(arrivals.all).length),
        };
        t.diagnostic(`${name}, ${how}: ${JSON.stringify(figures)}`);
        const there = new Set(kept);
        const lost = acknowledged.filter((payload) => !there.has(payload));
        assert.deepEqual(lost, [], 'acknowledged, and not in Pulsar');
        for (const { arrivals } of subscribers) {
          assert.deepEqual(repeated(arrivals.all).filter(isTwo), [], 'twice at a subscriber');
          assert.deepEqual(disordered(arrivals.all), [], 'out of order');
        }
      });
    }
  }
});
