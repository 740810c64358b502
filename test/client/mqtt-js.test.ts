import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { WebSocket } from 'ws';
import { createWebsocketWith } from '../../functions/client/index.js';
import { deploy } from '../gateway/deployment.js';
import { persistentOptions, StockClient, texts } from '../support/clients.js';
import { unique } from '../support/waiting.js';

const deployment = await deploy({ after }, { seed: 11, invokesTwice: 0.2, losesDisconnect: 1 });
const { gateway, url, worker } = deployment;
const createWebsocket = createWebsocketWith({ WebSocket });

for (const [shape, forceNativeWebSocket] of [
  ['as a stream of ws', false],
  ['as a browser does', true],
] as const) {
  for (const level of [4, 5] as const) {
    const title = `MQTT.js in Node, ${shape}, MQTT ${level === 4 ? '3.1.1' : '5'}`;
    const options = { createWebsocket, forceNativeWebSocket };

    test(`${title}: the gateway is cut again and again, and a clean session notices nothing`, async (t) => {
      const topic = unique('cut');
      const client = await StockClient.connect(t, url, level, options);
      const witness = await StockClient.connect(t, worker.url, level);
      await client.subscribe(`${topic}/to/+`);
      await witness.subscribe(`${topic}/from/+`);
      const before = gateway.counts.connect ?? 0;
      const [to, from]: string[][] = [[], []];
      for (let round = 0; round < 3; round += 1) {
        const published = ([0, 1, 2] as const).flatMap((qos) => {
          const payload = `${round} ${qos}`;
          to?.push(`${topic}/to/${qos} ${payload}`);
          from?.push(`${topic}/from/${qos} ${payload}`);
          return [
            client.publish(`${topic}/from/${qos}`, payload, { qos }),
            witness.publish(`${topic}/to/${qos}`, payload, { qos }),
          ];
        });
        gateway.cutAll();
        await Promise.all(published);
        await client.messages.until('all to', (all) => all.length >= to!.length);
        await witness.messages.until('all from', (all) => new Set(texts(all)).size >= from!.length);
      }
      // What the worker posts twice is known by its number, and a frame that is handled twice publishes only QoS 1 twice.
      assert.deepEqual(texts(client.messages.all).sort(), to?.sort());
      assert.deepEqual([...new Set(texts(witness.messages.all))].sort(), from?.sort());
      const once = (all: readonly string[]) => all.filter((text) => !text.startsWith(`${topic}/from/1`)).sort();
      assert.deepEqual(once(texts(witness.messages.all)), once(from ?? []));
      assert.ok((gateway.counts.connect ?? 0) >= before + 3);
      assert.equal(client.mqtt.connected, true);
      await client.disconnect();
    });
  }
}

test('a session taken over is not resumed: MQTT.js is told, and the successor stays', async (t) => {
  const options = { ...persistentOptions(5, unique('taken')), createWebsocket };
  const client = await StockClient.connect(t, url, 5, options);
  const before = gateway.counts.connect ?? 0;
  const successor = await StockClient.connect(t, url, 5, options);
  await client.closed();
  await successor.publish(unique('still'), 'there', { qos: 1 });
  assert.equal(gateway.counts.connect, before + 1);
});
