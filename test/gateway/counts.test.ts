import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { admin } from '../pulsar/transports.js';
import { THROUGH_GATEWAY } from '../support/behind-gateway.js';
import { StockClient } from '../support/clients.js';
import { DynamoProxy } from '../support/dynamodb-proxy.js';
import { unique } from '../support/waiting.js';
import { deploy, services } from './deployment.js';

const proxy = await DynamoProxy.start(services.dynamo.endpoint);
// Functions that know nothing of the frame before: what they need of it is in the store.
const deployment = await deploy({ after }, { seed: 3, storeEndpoint: proxy.endpoint, forgets: true });
after(() => proxy.stop());
const { url, worker, gateway } = deployment;

test('a QoS 1 publication is one invocation, one read, one write and one message of Pulsar', async (t) => {
  const topic = unique('counted');
  const client = await StockClient.connect(t, url, 5, THROUGH_GATEWAY);
  await client.publish(topic, 'the first makes what is to be made', { qos: 1 });
  // Whatever the worker has of the store is not the functions'.
  await worker.stop();
  const messages = await messagesIn();
  const { message: invocations = 0, POST: posts = 0 } = gateway.counts;
  proxy.take();
  for (let i = 1; i <= 5; i += 1) {
    await client.publish(topic, `${i}`, { qos: 1 });
    assert.deepEqual(proxy.take(), { GetItem: 1, PutItem: 1 });
  }
  assert.equal(gateway.counts.message, invocations + 5);
  assert.equal(gateway.counts.POST ?? 0, posts);
  assert.equal(await messagesIn(), messages + 5);
});

/** Messages that Pulsar was given, of whatever topic. */
async function messagesIn(): Promise<number> {
  const namespace = deployment.settings.PULSEGATE_PULSAR_NAMESPACE as string;
  const topics = (await admin(services.pulsar, 'GET', `persistent/${namespace}`)) as string[];
  const counts = topics.map(async (topic) => {
    const path = `persistent/${topic.slice('persistent://'.length)}/stats`;
    return ((await admin(services.pulsar, 'GET', path)) as { msgInCounter: number }).msgInCounter;
  });
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}
