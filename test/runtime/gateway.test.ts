import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PortError } from '../../functions/ports/errors.js';
import { eventually, within } from '../support/waiting.js';
import { GatewayStage, publish, subscribe } from './gateway-stage.js';

test('a client of the gateway publishes, subscribes and is delivered to', async (t) => {
  const stage = await GatewayStage.start(t);
  const reader = await stage.connect('reader');
  assert.equal(reader.packets.all[0]?.cmd, 'connack');
  await reader.send(subscribe('a/+', 2));
  await reader.packets.find('a SUBACK', ({ cmd }) => cmd === 'suback');
  const writer = await stage.connect('writer');
  for (const qos of [0, 1, 2] as const) await writer.send(publish(`a/${qos}`, `${qos}`, qos, qos + 1));
  assert.deepEqual(
    writer.packets.all.map(({ cmd }) => cmd),
    ['connack', 'puback', 'pubrec'],
  );
  await reader.packets.until('all three', () => reader.publishes().length === 3);
  assert.deepEqual(reader.publishes().sort(), ['0', '1', '2']);
});

test('a publication of QoS 1 is one read, one write and one append, and tells the shard nothing', async (t) => {
  const stage = await GatewayStage.start(t);
  const writer = await stage.connect('writer');
  for (const name of Object.keys(stage.connections.calls)) stage.connections.calls[name] = 0;
  await writer.send(publish('a', 'x', 1, 7));
  const { calls } = stage.connections;
  assert.deepEqual([calls.get, calls.put], [1, 1]);
  assert.equal(
    Object.values(calls).reduce((sum, count) => sum + count, 0),
    2,
  );
});

test('a frame that comes again is answered as before, and changes nothing', async (t) => {
  const stage = await GatewayStage.start(t);
  const reader = await stage.connect('reader');
  await reader.send(subscribe('a'));
  await reader.packets.find('a SUBACK', ({ cmd }) => cmd === 'suback');
  const writer = await stage.connect('writer');
  const first = await writer.send(publish('a', 'x', 1, 7));
  writer.number -= 1;
  const again = await writer.send(publish('a', 'x', 1, 7));
  // With the token once more: the first answer may never have come.
  assert.match('token' in again ? String(again.token) : '', new RegExp(`^${writer.id}[.]`));
  assert.deepEqual({ ...again, token: undefined }, { ...first, token: undefined });
  await writer.send(publish('a', 'y', 1, 8));
  await reader.packets.until('both', () => reader.publishes().includes('y'));
  assert.deepEqual(reader.publishes(), ['x', 'y']);
});

test('a frame out of turn ends nothing, and its sender has to come again', async (t) => {
  const stage = await GatewayStage.start(t);
  const writer = await stage.connect('writer');
  writer.number += 1;
  assert.deepEqual(await writer.send(publish('a', 'x', 1, 7)), { type: 'unknown' });
  writer.number = 1;
  assert.equal((await writer.send(publish('a', 'x', 1, 7))).type, 'answer');
});

test('a message in parts is put together', async (t) => {
  const stage = await GatewayStage.start(t);
  const reader = await stage.connect('reader');
  await reader.send(subscribe('large'));
  await reader.packets.find('a SUBACK', ({ cmd }) => cmd === 'suback');
  const writer = await stage.connect('writer');
  const { generate } = await import('mqtt-packet');
  const text = 'x'.repeat(100_000);
  const bytes = generate(publish('large', text, 1, 3) as never, { protocolVersion: 5 });
  await writer.frame(bytes.subarray(0, 30_000), true);
  await writer.frame(bytes.subarray(30_000, 60_000), true);
  await writer.frame(bytes.subarray(60_000));
  assert.equal(writer.packets.all.at(-1)?.cmd, 'puback');
  await reader.packets.until('it', () => reader.publishes().length === 1);
  assert.equal(reader.publishes()[0], text);
});

test('a frame for the client that is in doubt is posted again under its number, and one refused for now waits', async (t) => {
  const stage = await GatewayStage.start(t);
  const reader = await stage.connect('reader');
  stage.failures.push('lost-answer', new PortError('full', '429'));
  await reader.send(subscribe('a'));
  await reader.packets.find('a SUBACK', ({ cmd }) => cmd === 'suback');
  await within(
    'the frame once more',
    eventually(() => reader.workerFrames.length === 2),
  );
  assert.deepEqual(reader.workerFrames, [1, 1]);
  assert.equal(reader.packets.all.filter(({ cmd }) => cmd === 'suback').length, 1);
});

test('a connection goes on under another name without a word to the session', async (t) => {
  const stage = await GatewayStage.start(t);
  const before = await stage.open();
  const head = { cmd: 'connect', protocolId: 'MQTT', protocolVersion: 5, keepalive: 30, clean: true };
  const first = await before.send({ ...head, clientId: 'mover' });
  const token = 'token' in first ? first.token : undefined;
  await before.send(subscribe('a'));
  await before.packets.find('a SUBACK', ({ cmd }) => cmd === 'suback');
  const after = await stage.open(token);
  after.number = before.number;
  assert.equal((await after.send(publish('b', 'x', 1, 3))).type, 'answer');
  const writer = await stage.connect('writer');
  await writer.send(publish('a', 'moved', 1, 7));
  await after.packets.until('it', () => after.publishes().includes('moved'));
  assert.deepEqual(before.publishes(), []);
  assert.deepEqual(await stage.frames.receive(before.id, { number: 4, bytes: new Uint8Array(), isPart: false }), {
    type: 'unknown',
  });
});

test('a client resumes while its frame is still being dealt with under the former name', async (t) => {
  const stage = await GatewayStage.start(t);
  const writer = await stage.connect('writer');
  const first = await writer.send(publish('a', '1', 1, 7));
  assert.ok('bytes' in first);
  const { connections } = stage;
  const after = await stage.open((await connections.get(writer.id))!.row.token);
  const move = connections.move.bind(connections);
  const late = { cmd: 'publish', topic: 'a', payload: '2', qos: 2, messageId: 8, dup: false, retain: false };
  let isFirst = true;
  // The frame that was on its way when the network failed is saved just ahead of the move.
  connections.move = async (...args) => {
    if (isFirst) await writer.send(late);
    isFirst = false;
    return move(...args);
  };
  after.number = writer.number;
  const reply = await after.send(late);
  assert.equal(reply.type, 'answer');
  assert.deepEqual(
    after.packets.all.map(({ cmd }) => cmd),
    ['pubrec'],
  );
});

test('what is no token is a connection that nobody knows', async (t) => {
  const stage = await GatewayStage.start(t);
  const asked: string[] = [];
  const { connections } = stage;
  const get = connections.get.bind(connections);
  connections.get = (id) => {
    asked.push(id);
    return get(id);
  };
  for (const token of ['', '.', '.x', 'gw-1', `${'x'.repeat(3_000)}.y`]) {
    const client = await stage.open(token);
    assert.deepEqual(await client.frame(new Uint8Array()), { type: 'unknown' });
  }
  // DynamoDB refuses a key that is empty or too long, and that is not for a client to bring about.
  for (const id of asked) assert.ok(id.length > 0 && id.length < 1_000, `${id.length} characters`);
});

test('a client whose first frame under another name fails is told its new token by the same frame again', async (t) => {
  const stage = await GatewayStage.start(t);
  const before = await stage.connect('roaming');
  const { row } = (await stage.connections.get(before.id))!;
  const after = await stage.open(row.token);
  after.number = before.number;
  stage.dies = 'after-moving';
  await assert.rejects(after.send(subscribe('a')));
  stage.dies = undefined;
  after.number -= 1;
  const reply = await after.send(subscribe('a'));
  assert.ok('token' in reply);
  const further = await stage.open(reply.token);
  further.number = after.number;
  assert.equal((await further.frame(new Uint8Array())).type, 'answer');
});

test('what a client misses when it goes on under another name is posted there again, and more than is kept ends it', async (t) => {
  const stage = await GatewayStage.start(t);
  const before = await stage.open();
  const head = { cmd: 'connect', protocolId: 'MQTT', protocolVersion: 5, keepalive: 30, clean: true };
  const first = await before.send({ ...head, clientId: 'mover' });
  await before.send(subscribe('a'));
  await before.packets.find('a SUBACK', ({ cmd }) => cmd === 'suback');
  const writer = await stage.connect('writer');
  const lose = async (payload: string) => {
    // The gateway takes it, and the client never gets it.
    stage.failures.push('lost');
    await writer.send(publish('a', payload, 1, 7));
    await within(
      'the post',
      eventually(() => stage.failures.length === 0),
    );
  };
  await lose('one');
  await lose('two');
  const after = await stage.open('token' in first ? first.token : undefined);
  after.number = before.number;
  const resumed = await after.frame(new Uint8Array(), false, { epoch: stage.epoch, number: 1 });
  await after.packets.until('both', () => after.publishes().length === 2);
  assert.deepEqual(
    [after.publishes(), after.workerFrames],
    [
      ['one', 'two'],
      [2, 3],
    ],
  );
  await writer.send(publish('a', 'three', 1, 7));
  await after.packets.until('the next', () => after.publishes().length === 3);
  assert.deepEqual(after.workerFrames, [2, 3, 4]);
  await lose('x'.repeat(70_000));
  const last = await stage.open('token' in resumed ? resumed.token : undefined);
  last.number = after.number;
  await last.frame(new Uint8Array(), false, { epoch: stage.epoch, number: 4 });
  await within(
    'the close',
    eventually(() => stage.closed.includes(last.id)),
  );
});

test('two invocations of the frame with which a connection goes on come to one', async (t) => {
  const stage = await GatewayStage.start(t);
  const before = await stage.open();
  const head = { cmd: 'connect', protocolId: 'MQTT', protocolVersion: 5, keepalive: 30, clean: true };
  const first = await before.send({ ...head, clientId: 'mover' });
  const after = await stage.open('token' in first ? first.token : undefined);
  const frame = { number: before.number + 1, bytes: new Uint8Array(), isPart: false };
  const replies = await Promise.all([1, 2, 3].map(() => stage.frames.receive(after.id, frame)));
  assert.deepEqual(
    replies.map(({ type }) => type),
    ['answer', 'answer', 'answer'],
  );
});

test('a client that the gateway does not know for a while goes on without a word to its session', async (t) => {
  const stage = await GatewayStage.start(t);
  const before = await stage.open();
  const head = { cmd: 'connect', protocolId: 'MQTT', protocolVersion: 5, keepalive: 30, clean: true };
  const first = await before.send({ ...head, clientId: 'mover' });
  await before.send(subscribe('a'));
  await before.packets.find('a SUBACK', ({ cmd }) => cmd === 'suback');
  const writer = await stage.connect('writer');
  stage.failures.push(new PortError('gone', '410'), new PortError('gone', '410'));
  await writer.send(publish('a', 'one', 1, 7));
  await within(
    'both',
    eventually(() => stage.failures.length === 0),
  );
  const after = await stage.open('token' in first ? first.token : undefined);
  after.number = before.number;
  stage.clients.delete(before.id);
  await after.frame(new Uint8Array(), false, { epoch: stage.epoch, number: 1 });
  await after.packets.until('it', () => after.publishes().length === 1);
});

test('a will comes when the gateway says that the connection is over, and when it never does', async (t) => {
  const stage = await GatewayStage.start(t);
  const reader = await stage.connect('reader');
  await reader.send(subscribe('wills/+'));
  await reader.packets.find('a SUBACK', ({ cmd }) => cmd === 'suback');
  const told = await stage.connect('told', willOf('wills/told', 'wills/told'));
  await stage.frames.close(told.id);
  await reader.packets.until('one', () => reader.publishes().includes('wills/told'));
  await stage.connect('silent', willOf('wills/silent', 'wills/silent'));
  const other = eventually(async () => {
    // So that it is not silent itself.
    await reader.frame(new Uint8Array());
    return reader.publishes().includes('wills/silent');
  });
  await within('the other', other);
  assert.deepEqual(reader.publishes(), ['wills/told', 'wills/silent']);
});

const willOf = (topic: string, payload: string, delayS = 0) => ({
  will: { topic, payload, qos: 1, retain: false, properties: { willDelayInterval: delayS } },
});

test('the will of a client that is taken over, or lost, comes before what its successor says', async (t) => {
  const stage = await GatewayStage.start(t);
  const reader = await stage.connect('reader');
  await reader.send(subscribe('status'));
  await reader.packets.find('a SUBACK', ({ cmd }) => cmd === 'suback');
  const expected: string[] = [];
  for (let life = 1; life <= 10; life += 1) {
    const client = await stage.connect('mortal', willOf('status', `gone ${life}`));
    await client.send(publish('status', `here ${life}`, 1, 1));
    if (life % 2 === 0) await stage.frames.close(client.id);
    expected.push(`here ${life}`, `gone ${life}`);
  }
  await stage.connect('mortal');
  await reader.packets.until('all', () => reader.publishes().length === expected.length);
  assert.deepEqual(reader.publishes(), expected);
});

test('a will waits for no worker, and comes once though a worker comes after it', async (t) => {
  const stage = await GatewayStage.start(t);
  const reader = await stage.connect('reader');
  await reader.send(subscribe('status'));
  await reader.packets.find('a SUBACK', ({ cmd }) => cmd === 'suback');
  await stage.worker?.close();
  stage.worker = undefined;
  const lost = await stage.connect('lost', willOf('status', 'of who was lost'));
  await stage.frames.close(lost.id);
  await stage.connect('taken', willOf('status', 'of who was taken over'));
  const after = await stage.connect('taken');
  await after.send(publish('status', 'of the successor', 1, 1));
  assert.equal((await stage.presence.get('lost'))?.row.will, null);
  assert.deepEqual((await stage.presence.get('taken'))?.row.leftWills, []);
  await stage.startWorker();
  const again = await stage.connect('reader');
  await again.packets.until('all', () => again.publishes().length >= 3);
  await again.send(publish('status', 'last', 1, 1));
  await again.packets.until('the last', () => again.publishes().includes('last'));
  assert.deepEqual(again.publishes(), ['of who was lost', 'of who was taken over', 'of the successor', 'last']);
});

test('a will that its edge left in doubt, and did not live to tell of, comes once', async (t) => {
  const stage = await GatewayStage.start(t);
  const reader = await stage.connect('reader');
  await reader.send(subscribe('status'));
  await reader.packets.find('a SUBACK', ({ cmd }) => cmd === 'suback');
  // So that it is not silent itself.
  const beat = setInterval(() => void reader.frame(new Uint8Array()), 200);
  t.after(() => clearInterval(beat));
  for (const dies of ['before-publishing', 'before-settling', 'before-telling'] as const) {
    const mortal = await stage.connect('mortal', willOf('status', dies));
    stage.dies = dies;
    await assert.rejects(stage.frames.close(mortal.id));
    stage.dies = undefined;
    // Whoever may be about to publish it is given its time.
    await reader.packets.until('the will', () => reader.publishes().includes(dies), 8_000);
  }
  assert.deepEqual(reader.publishes(), ['before-publishing', 'before-settling', 'before-telling']);
});

test('a will that its edge did not live to publish, or to settle, comes before what its successor says, without a worker', async (t) => {
  const stage = await GatewayStage.start(t);
  const reader = await stage.connect('reader');
  await reader.send(subscribe('status'));
  await reader.packets.find('a SUBACK', ({ cmd }) => cmd === 'suback');
  await stage.worker?.close();
  stage.worker = undefined;
  const deaths = ['before-publishing', 'before-settling'] as const;
  for (const dies of deaths) {
    const mortal = await stage.connect(dies, willOf('status', dies));
    stage.dies = dies;
    await assert.rejects(stage.frames.close(mortal.id));
    stage.dies = undefined;
    const successor = await stage.connect(dies);
    await successor.send(publish('status', `after ${dies}`, 1, 1));
    assert.deepEqual((await stage.presence.get(dies))?.row.leftWills, []);
  }
  await stage.startWorker();
  const again = await stage.connect('reader');
  await again.packets.until('all', () => again.publishes().includes(`after ${deaths[1]}`));
  assert.deepEqual(
    again.publishes(),
    deaths.flatMap((dies) => [dies, `after ${dies}`]),
  );
});

test('a client identifier taken over closes the connection before', async (t) => {
  const stage = await GatewayStage.start(t);
  const before = await stage.connect('twice');
  const after = await stage.connect('twice');
  assert.deepEqual(stage.closed, [before.id]);
  assert.equal((await after.send(publish('a', 'x', 1, 7))).type, 'answer');
});

test('a worker that comes closes connections from before it, and their clients find all that was queued', async (t) => {
  const stage = await GatewayStage.start(t);
  const reader = await stage.connect('reader');
  await reader.send(subscribe('a', 2));
  await reader.packets.find('a SUBACK', ({ cmd }) => cmd === 'suback');
  await stage.worker?.close();
  stage.worker = undefined;
  const writer = await stage.connect('writer');
  for (const qos of [1, 2] as const) await writer.send(publish('a', `${qos}`, qos, qos));
  assert.deepEqual(
    writer.packets.all.map(({ cmd }) => cmd),
    ['connack', 'puback', 'pubrec'],
  );
  await stage.startWorker();
  assert.deepEqual(stage.closed.sort(), [reader.id, writer.id].sort());
  await stage.frames.close(reader.id);
  const again = await stage.connect('reader');
  await again.packets.until('both', () => again.publishes().length === 2);
  assert.deepEqual(again.publishes(), ['1', '2']);
});

test('a connection whose time is over is closed though its client says nothing, and its will is published', async (t) => {
  // So long that silence is not why.
  const stage = await GatewayStage.start(t, { gatewaySilenceMaxMs: 8_000 });
  const reader = await stage.connect('reader');
  await reader.send(subscribe('wills/+'));
  await reader.packets.find('a SUBACK', ({ cmd }) => cmd === 'suback');
  stage.expiresAtMs = Date.now() + 300;
  const will = { topic: 'wills/brief', payload: 'over', qos: 1, retain: false, properties: {} };
  const brief = await stage.connect('brief', { will });
  await within(
    'it is closed',
    eventually(() => stage.closed.includes(brief.id)),
  );
  await reader.packets.until('the will', () => reader.publishes().includes('over'));
  assert.ok(!stage.closed.includes(reader.id));
});

test('an empty frame after the time of a connection is answered by its end', async (t) => {
  const stage = await GatewayStage.start(t);
  stage.expiresAtMs = Date.now() + 50;
  const brief = await stage.connect('brief');
  await within(
    'its end',
    eventually(() => Date.now() >= (stage.expiresAtMs ?? 0)),
  );
  assert.equal((await brief.frame(new Uint8Array())).type, 'closed');
  await brief.packets.find('why', (packet) => packet.cmd === 'disconnect' && packet.reasonCode === 0xa0);
});
