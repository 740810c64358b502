import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  loadNative,
  type NativeClient,
  type NativeConsumer,
} from '../../../functions/adapters/pulsar/native/client.js';
import { rest, transports } from './transports.js';

const native = (await transports()).find(({ name }) => name === 'native client');

if (native !== undefined) {
  const { pulsar, open } = native;
  const client = loadNative().Client.prototype as NativeClient;
  const { subscribe } = client;
  /** The next call of `subscribe` goes through `instead`. */
  const once = (instead: (consumer: () => Promise<NativeConsumer>) => Promise<NativeConsumer>) => {
    client.subscribe = function (this: NativeClient, config) {
      client.subscribe = subscribe;
      return instead(() => subscribe.call(this, config));
    };
  };
  const timeOut = () => Promise.reject(new Error('TimeOut'));

  describe('pulsar, native client, where one call fails', () => {
    it('a reader whose place cannot be sought does not keep the subscription from the next', async () => {
      const log = await open();
      const topic = `failures-${process.pid}-seek`;
      const { partition } = await log.append(topic, { key: 'k', payload: Buffer.from('1'), properties: {} });
      once(async (consumer) => Object.defineProperty(await consumer(), 'seek', { value: timeOut }));
      await assert.rejects(log.read(partition, 'earliest', { name: 'shard' }), { code: 'unavailable' });
      const reader = await log.read(partition, 'earliest', { name: 'shard' });
      assert.equal((await reader.read(10)).length, 1);
      await log.close();
    });

    it('a look back that fails leaves no subscription behind', async () => {
      const log = await open();
      const topic = `failures-${process.pid}-back`;
      const { partition } = await log.append(topic, { key: 'k', payload: Buffer.from('1'), properties: {} });
      once(timeOut);
      await assert.rejects(log.history(partition, 'earliest', 10), { code: 'unavailable' });
      assert.deepEqual(await rest(pulsar, 'GET', `persistent/public/default/${topic}/subscriptions`), []);
      await log.close();
    });
  });
}
