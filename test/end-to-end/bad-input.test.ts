import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { generate } from 'mqtt-packet';
import { atBothLevels, StockClient } from '../support/clients.js';
import { Program } from '../support/program.js';
import {
  connectPacket,
  hex,
  noProperties,
  packetOf,
  RawClient,
  type StockLevel,
  stringOf,
  variableByteInteger,
} from '../support/raw-client.js';
import { unique } from '../support/waiting.js';

const PACKET_MAX_BYTES = 4_096;
/** Something that no log line may contain. */
const SECRET = 'the-payload-is-secret';

const program = await Program.start({ after }, { PULSEGATE_PACKET_MAX_BYTES: String(PACKET_MAX_BYTES) });
const { url } = program;

interface Case {
  fact: string;
  /** One frame, after CONNACK. */
  frame(level: StockLevel): Buffer;
  /** The reasons that the standard allows a server to give at level 5. */
  reasons: readonly number[];
  closeCode?: number;
}

const MALFORMED = 0x81;
const PROTOCOL_ERROR = 0x82;
const TOPIC_NAME_INVALID = 0x90;
const TOO_LARGE = 0x95;

const CASES: readonly Case[] = [
  {
    fact: 'a second CONNECT',
    frame: (level) => generate(connectPacket(level, { clientId: SECRET }), { protocolVersion: level }),
    reasons: [PROTOCOL_ERROR],
  },
  {
    fact: 'a packet over the limit, of which only the beginning has come',
    frame: (level) =>
      Buffer.concat([Buffer.of(0x30), variableByteInteger(PACKET_MAX_BYTES), publishBody(level).subarray(0, 60)]),
    reasons: [TOO_LARGE],
    closeCode: 1009,
  },
  {
    fact: 'a frame over the limit',
    frame: (level) => packetOf(0x30, publishBody(level), Buffer.alloc(PACKET_MAX_BYTES + 100_000)),
    reasons: [TOO_LARGE],
    closeCode: 1009,
  },
  {
    fact: 'a reserved bit in the fixed header of SUBSCRIBE',
    frame: (level) => packetOf(0x80, hex('0001'), noProperties(level), 'a/b', hex('00')),
    reasons: [MALFORMED],
  },
  {
    fact: 'a reserved bit in the options of a subscription',
    frame: (level) => packetOf(0x82, hex('0001'), noProperties(level), 'a/b', hex('c0')),
    reasons: [MALFORMED, PROTOCOL_ERROR],
  },
  { fact: 'QoS 3', frame: (level) => packetOf(0x36, 'a/b', hex('0001'), noProperties(level)), reasons: [MALFORMED] },
  {
    fact: 'DUP with QoS 0',
    frame: (level) => packetOf(0x38, publishBody(level)),
    reasons: [MALFORMED, PROTOCOL_ERROR],
  },
  {
    fact: 'a topic name that is not UTF-8',
    frame: (level) => packetOf(0x30, hex('0003 61ff62'), noProperties(level), Buffer.from(SECRET)),
    reasons: [MALFORMED],
  },
  {
    fact: 'a topic name with a surrogate',
    frame: (level) => packetOf(0x30, hex('0003 eda080'), noProperties(level), Buffer.from(SECRET)),
    reasons: [MALFORMED],
  },
  {
    fact: 'a topic name with U+0000',
    frame: (level) => packetOf(0x30, 'a\0b', noProperties(level), Buffer.from(SECRET)),
    reasons: [MALFORMED],
  },
  ...['a/+/b', 'a/#', '#'].map((topic) => ({
    fact: `the wildcard in the topic name ${topic}`,
    frame: (level: StockLevel) => packetOf(0x30, topic, noProperties(level), Buffer.from(SECRET)),
    reasons: [TOPIC_NAME_INVALID, PROTOCOL_ERROR, MALFORMED],
  })),
  {
    fact: 'an empty topic name without an alias',
    frame: (level) => packetOf(0x30, '', noProperties(level), Buffer.from(SECRET)),
    reasons: [PROTOCOL_ERROR, TOPIC_NAME_INVALID, MALFORMED],
  },
  {
    fact: 'packet identifier 0',
    frame: (level) => packetOf(0x32, 'a/b', hex('0000'), noProperties(level), Buffer.from(SECRET)),
    reasons: [PROTOCOL_ERROR, MALFORMED],
  },
  {
    fact: 'SUBSCRIBE without a filter',
    frame: (level) => packetOf(0x82, hex('0001'), noProperties(level)),
    reasons: [PROTOCOL_ERROR, MALFORMED],
  },
  {
    fact: 'a packet that ends before its fields do',
    frame: () => packetOf(0x32, hex('0010 61')),
    reasons: [MALFORMED],
  },
  { fact: 'a Remaining Length of five bytes', frame: () => hex('30 ff ff ff ff 01'), reasons: [MALFORMED] },
  { fact: 'a packet of type 0', frame: () => hex('00 00'), reasons: [MALFORMED, PROTOCOL_ERROR] },
  {
    fact: 'a packet that only servers send',
    frame: (level) => packetOf(0x20, hex('0000'), noProperties(level)),
    reasons: [PROTOCOL_ERROR, MALFORMED],
  },
];

for (const { fact, frame, reasons, closeCode } of CASES) {
  atBothLevels(`${fact}: that connection is refused and no other`, async (level, t) => {
    const bystander = await StockClient.connect(t, url, level);
    const { client, clientId } = await connected(t, level);
    client.write(frame(level));
    await assertRefused(client, reasons, closeCode);
    await assertLoggedOnce(clientId);
    assert.equal((await bystander.settled(bystander)).length, 0);
  });
}

atBothLevels('a text frame is refused with 1003', async (level, t) => {
  const { client, clientId } = await connected(t, level);
  client.writeText(SECRET);
  assert.equal(await client.closeCode(), 1003);
  await assertLoggedOnce(clientId);
});

atBothLevels('whatever is good before what is bad is done', async (level, t) => {
  const topic = unique('before');
  const witness = await StockClient.connect(t, url, level);
  await witness.subscribe(topic);
  const { client } = await connected(t, level);
  const good = packetOf(0x32, topic, hex('0001'), noProperties(level), Buffer.from('good'));
  client.write(Buffer.concat([good, hex('00 00')]));
  await client.closeCode();
  await witness.messages.find('the good message', ({ payload }) => payload === 'good');
});

for (const [fact, bytes] of [
  ['PINGREQ', hex('c0 00')],
  ['PUBLISH', packetOf(0x30, 'a/b', Buffer.from(SECRET))],
  ['a CONNECT of a protocol that is not MQTT', packetOf(0x10, 'HTTP', hex('04 02 0000'), 'id')],
  ['text that is no MQTT at all', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
] as const) {
  test(`${fact} as the first packet: closed, without an answer, and logged`, async (t) => {
    const logged = program.log.all.length;
    const client = await RawClient.open(t, url, 4);
    client.write(bytes);
    await client.closeCode();
    assert.deepEqual(client.packets.all, []);
    await program.log.until('a line for it', (all) => all.slice(logged).some(({ level }) => level !== 'debug'));
  });
}

test('an unknown protocol level is refused by CONNACK', async (t) => {
  const client = await RawClient.open(t, url, 4);
  client.write(packetOf(0x10, 'MQTT', hex('07 02 0000'), 'id'));
  const connack = await client.next('connack');
  // 3.1.1 says 0x01, 5 says 0x84; whoever comes with another level knows one of them.
  assert.ok([0x01, 0x84].includes(connack.returnCode ?? connack.reasonCode ?? 0));
  await client.closeCode();
});

test('a topic alias of 0, or above what CONNACK allows, is refused by 0x94', async (t) => {
  for (const over of [false, true]) {
    const { client, clientId, connack } = await connected(t, 5);
    const alias = over ? (connack.properties?.topicAliasMaximum ?? 0) + 1 : 0;
    client.write(packetOf(0x30, 'a/b', Buffer.of(3, 0x23, alias >> 8, alias & 0xff), Buffer.from(SECRET)));
    await assertRefused(client, [0x94]);
    await assertLoggedOnce(clientId);
  }
});

test('a topic alias that stands for nothing yet is refused', async (t) => {
  const { client, clientId } = await connected(t, 5);
  client.write(packetOf(0x30, '', hex('03 23 0001'), Buffer.from(SECRET)));
  await assertRefused(client, [0x94, PROTOCOL_ERROR]);
  await assertLoggedOnce(clientId);
});

test('no payload, and no more than one line for each refused client, is in the log', async () => {
  assert.equal((await program.stop()).code, 0);
  assert.ok(!program.stderr.includes(SECRET));
  const refused = program.log.all.flatMap(({ client }) => (client?.startsWith('bad-') ? [client] : []));
  assert.ok(refused.length > CASES.length);
  assert.deepEqual(refused, [...new Set(refused)]);
});

async function connected(scope: Parameters<typeof RawClient.open>[0], level: StockLevel) {
  const clientId = unique('bad');
  return { clientId, ...(await RawClient.connect(scope, url, level, { clientId })) };
}

/** At level 5 a DISCONNECT that says why, before that nothing but the close (section 4.13). */
async function assertRefused(client: RawClient, reasons: readonly number[], code?: number): Promise<void> {
  if (client.level === 5) {
    const { reasonCode = 0 } = await client.next('disconnect');
    assert.ok(reasons.includes(reasonCode), `0x${reasonCode.toString(16)}`);
  }
  const closedWith = await client.closeCode();
  assert.notEqual(closedWith, 1006, 'the closing handshake was left out');
  if (code !== undefined) assert.equal(closedWith, code);
  assert.equal(client.packets.all.length, client.level === 5 ? 2 : 1);
}

async function assertLoggedOnce(clientId: string): Promise<void> {
  const { clause, text } = await program.log.find(`a line for ${clientId}`, ({ client }) => client === clientId);
  assert.ok(typeof clause === 'string' && typeof text === 'string');
  assert.equal(program.log.all.filter(({ client }) => client === clientId).length, 1);
}

function publishBody(level: StockLevel): Buffer {
  return Buffer.concat([stringOf('a/b'), noProperties(level), Buffer.from(SECRET)]);
}
