import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type RawData, WebSocket } from 'ws';
import { THROUGH_GATEWAY } from '../support/behind-gateway.js';
import { atBothLevels, persistentOptions, StockClient, texts } from '../support/clients.js';
import { unique, within } from '../support/waiting.js';
import { deploy } from './deployment.js';

const deployment = await deploy({ after }, { seed: 7, invokesTwice: 0.2 });
const { url } = deployment;

atBothLevels('a stock client publishes and subscribes through the gateway', async (level, t) => {
  const topic = unique('through');
  const reader = await StockClient.connect(t, url, level, THROUGH_GATEWAY);
  const writer = await StockClient.connect(t, url, level, THROUGH_GATEWAY);
  await reader.subscribe(`${topic}/+`);
  for (const qos of [0, 1, 2] as const) await writer.publish(`${topic}/${qos}`, `${qos}`, { qos });
  await reader.messages.until('all three', (all) => new Set(texts(all)).size >= 3);
  // A frame that is handled twice publishes QoS 1 twice, and nothing else.
  const got = texts(reader.messages.all).sort();
  assert.deepEqual(
    got.filter((text, i) => text !== `${topic}/1 1` || got[i - 1] !== text),
    [0, 1, 2].map((qos) => `${topic}/${qos} ${qos}`),
  );
});

atBothLevels('a client behind the gateway and one on a socket reach each other', async (level, t) => {
  const topic = unique('both');
  const there = await StockClient.connect(t, url, level, THROUGH_GATEWAY);
  const here = await StockClient.connect(t, deployment.worker.url, level);
  await there.subscribe(`${topic}/to-there`);
  await here.subscribe(`${topic}/to-here`);
  await there.publish(`${topic}/to-here`, 'a', { qos: 2 });
  await here.publish(`${topic}/to-there`, 'b', { qos: 1, retain: true });
  await here.messages.find('a', ({ payload }) => payload === 'a');
  await there.messages.find('b', ({ payload }) => payload === 'b');
});

atBothLevels('a session goes on where it was', async (level, t) => {
  const topic = unique('session');
  const options = { ...persistentOptions(level, unique('client')), ...THROUGH_GATEWAY };
  const first = await StockClient.connect(t, url, level, options);
  await first.subscribe(topic);
  await first.disconnect();
  const writer = await StockClient.connect(t, url, level, THROUGH_GATEWAY);
  for (let i = 0; i < 20; i += 1) await writer.publish(topic, `${i}`, { qos: 1 });
  const again = await StockClient.connect(t, url, level, options);
  assert.equal(again.connack.sessionPresent, true);
  await again.messages.until('all twenty', (all) => new Set(texts(all)).size === 20);
});

test('a message of 100 KB goes through in parts, both ways', async (t) => {
  const topic = unique('large');
  const client = await StockClient.connect(t, url, 5, THROUGH_GATEWAY);
  await client.subscribe(topic);
  const payload = Buffer.alloc(100_000, 'abc');
  await client.publish(topic, payload, { qos: 1 });
  const arrived = await client.messages.find('it', ({ topic: to }) => to === topic);
  assert.equal(arrived.payload, payload.toString());
});

test('a will is published when the client vanishes', async (t) => {
  const topic = unique('will');
  const reader = await StockClient.connect(t, url, 5, THROUGH_GATEWAY);
  await reader.subscribe(topic);
  const will = { topic, payload: Buffer.from('gone'), qos: 1, retain: false } as const;
  const client = await StockClient.connect(t, url, 5, { ...THROUGH_GATEWAY, will });
  client.mqtt.stream.destroy();
  await reader.messages.find('the will', ({ payload }) => payload === 'gone');
});

test('whoever sends what is not of the dialect is told so, and binary frames are the gateway’s to refuse', async (t) => {
  const socket = new WebSocket(`${url}?v=1`, ['mqtt']);
  t.after(() => socket.terminate());
  let last = '';
  const told = (text: string) =>
    new Promise<string>((resolve) => {
      // A function that is invoked twice may answer twice.
      const take = (data: RawData) => {
        if (String(data) === last) return;
        last = String(data);
        socket.off('message', take);
        resolve(last);
      };
      socket.on('message', take);
      socket.send(text);
    });
  await within('the socket is open', new Promise((resolve) => socket.once('open', resolve)));
  assert.equal(socket.protocol, 'mqtt');
  assert.equal(await within('an answer', told('hello')), '!malformed');
  assert.equal(await within('an answer', told('2:')), '!unknown');
  assert.match(await within('an answer', told('1:')), /^1:;[\w.=-]+$/);
  // Not an MQTT packet: the connection machine's answer.
  const over = await within('an answer', told('2:AAAA'));
  // Where two invocations dealt with it, the later finds no connection any more.
  if (over !== '!unknown') {
    assert.equal(over, '2!:');
    assert.equal(await within('an answer', told('3:')), '!unknown');
  }
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  socket.send(Buffer.from([1]), { binary: true });
  assert.equal(await within('a close', closed), 1003);
});
