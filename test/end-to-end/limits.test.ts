import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { atBothLevels, StockClient, texts } from '../support/clients.js';
import { Program } from '../support/program.js';
import { noProperties, packetOf, persistent, RawClient } from '../support/raw-client.js';
import { unique } from '../support/waiting.js';

const program = await Program.start({ after });
const { url } = program;

test('CONNACK says that everything is there, and with which bounds', async (t) => {
  const { connack } = await RawClient.connect(t, url, 5);
  const { properties = {} } = connack;
  assert.equal(connack.reasonCode, 0);
  // Absence means that it is there, and of QoS that there is all (section 3.2.2.3); other tests use what is announced.
  assert.notEqual(properties.sharedSubscriptionAvailable, false);
  assert.notEqual(properties.subscriptionIdentifiersAvailable, false);
  assert.notEqual(properties.wildcardSubscriptionAvailable, false);
  assert.notEqual(properties.retainAvailable, false);
  assert.equal(properties.maximumQoS, undefined);
  assert.ok((properties.topicAliasMaximum ?? 0) > 0);
  assert.ok((properties.maximumPacketSize ?? 0) >= 1024);
});

test('the Receive Maximum of a client is obeyed, and what waits comes in order', async (t) => {
  const topic = unique('window');
  const windowed = await RawClient.connect(t, url, 5, { properties: { receiveMaximum: 2 } });
  windowed.client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos: 2 }] });
  await windowed.client.next('suback');
  const witness = await StockClient.connect(t, url, 5);
  await witness.subscribe(topic);
  const payloads = Array.from({ length: 7 }, (_, i) => String(i));
  for (const payload of payloads) await witness.publish(topic, payload, { qos: Number(payload) % 2 === 0 ? 2 : 1 });
  // Another subscriber has them all: they were handed out.
  await witness.messages.until('all', (all) => all.length === payloads.length);

  const { client } = windowed;
  const arrived: string[] = [];
  const inFlight: { qos: number; messageId: number }[] = [];
  const takeTwo = async () => {
    while (inFlight.length < Math.min(2, payloads.length - arrived.length + inFlight.length)) {
      const { payload, qos, messageId } = await client.next('publish');
      arrived.push(payload.toString());
      inFlight.push({ qos, messageId: messageId ?? 0 });
    }
    assert.deepEqual(await client.untilPong(), [], 'more than two in flight');
  };
  for (await takeTwo(); inFlight.length > 0; await takeTwo()) {
    const { qos, messageId } = inFlight.shift() ?? { qos: 0, messageId: 0 };
    if (qos === 2) {
      client.send({ cmd: 'pubrec', messageId });
      await client.next('pubrel');
      // PUBREC gives no room, PUBCOMP does (section 4.9).
      assert.deepEqual(await client.untilPong(), []);
      client.send({ cmd: 'pubcomp', messageId });
    } else {
      client.send({ cmd: 'puback', messageId });
    }
  }
  assert.deepEqual(arrived, payloads);
});

test('a message over the Maximum Packet Size of a client is left out, and does not hold up others', async (t) => {
  const topic = unique('large');
  const session = { clientId: unique('small'), clean: false };
  const properties = { maximumPacketSize: 100, sessionExpiryInterval: 600 };
  const { client } = await RawClient.connect(t, url, 5, { ...session, properties });
  client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos: 2 }] });
  await client.next('suback');
  const witness = await StockClient.connect(t, url, 5);
  await witness.subscribe(topic);
  for (const qos of [0, 1, 2] as const) {
    await witness.publish(topic, 'x'.repeat(200), { qos });
    await witness.publish(topic, `small at ${qos}`, { qos });
  }
  for (const qos of [0, 1, 2]) assert.equal((await client.next('publish')).payload.toString(), `small at ${qos}`);
  assert.equal((await witness.settled(witness)).length, 6);
  await client.drop();
  const again = await RawClient.connect(t, url, 5, { ...session, properties });
  for (const qos of [1, 2]) assert.equal((await again.client.next('publish')).payload.toString(), `small at ${qos}`);
  assert.deepEqual(await again.client.untilPong(), []);
});

test('a packet as large as CONNACK allows is taken', async (t) => {
  const own = await Program.start(t, { PULSEGATE_PACKET_MAX_BYTES: '5000' });
  const topic = unique('largest');
  const { client, connack } = await RawClient.connect(t, own.url, 5);
  assert.equal(connack.properties?.maximumPacketSize, 5_000);
  const overhead = packetOf(0x32, topic, Buffer.of(0, 1), noProperties(5), Buffer.alloc(4_000)).length - 4_000;
  const largest = packetOf(0x32, topic, Buffer.of(0, 1), noProperties(5), Buffer.alloc(5_000 - overhead, 'x'));
  assert.equal(largest.length, 5_000);
  client.write(largest);
  await client.next('puback');
});

atBothLevels('a client that reads nothing holds up nobody else', async (level, t) => {
  const topic = unique('slow');
  const slow = await RawClient.connect(t, url, level, { clientId: unique('slow'), ...persistent(level) });
  slow.client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos: 1 }] });
  await slow.client.next('suback');
  const other = await StockClient.connect(t, url, level);
  await other.subscribe(topic, { qos: 1 });
  const payloads = Array.from({ length: 2_000 }, (_, i) => String(i));
  await Promise.all(payloads.map((payload) => other.publish(topic, payload, { qos: 1 })));
  const arrived = await other.messages.until('all', (all) => all.length === payloads.length);
  assert.deepEqual(
    texts(arrived),
    payloads.map((payload) => `${topic} ${payload}`),
  );
});
