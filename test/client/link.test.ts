import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONNECT_3_1_1, CONNECT_5, connected, ScriptedSocket, stage, TOKEN, turn } from './scripted.js';

const PUBLISH = ['320700016100016869', '32070001610002686f'] as const;
const FRAME = ['2:MgcAAWEAAWhp', '2:MgcAAWEAAmhv'] as const;
const MINUTE_MS = 60_000;
const FIRST = 'wss://example.test/mqtt?stage=1&v=1';
const RESUMING = `${FIRST}&resume=${TOKEN}`;
const GATEWAY_ERROR = '{"message": "Internal server error", "connectionId":"L0SM9cOFvHcCIhw=", "requestId":"x"}';

test('it says its version in the URL and offers what its user does', () => {
  stage();
  const [socket] = ScriptedSocket.all;
  assert.deepEqual([socket?.url, socket?.offered], [FIRST, ['mqtt']]);
});

test('one frame is in flight; what is written meanwhile goes out together', async () => {
  const { socket, write } = await connected();
  write(PUBLISH[0]);
  await turn();
  for (let count = 0; count < 5; count += 1) write(PUBLISH[1]);
  await turn();
  assert.deepEqual(socket().sent.slice(1), [FRAME[0]]);
  socket().say('2:QAIAAQ==');
  assert.equal(socket().sent.length, 3);
  assert.equal(socket().sent[2], `3:${Buffer.from(PUBLISH[1].repeat(5), 'hex').toString('base64')}`);
});

test('what is written in one turn is one frame', async () => {
  const { socket, write } = await connected();
  write(PUBLISH[0].slice(0, 6));
  write(PUBLISH[0].slice(6));
  write(PUBLISH[1]);
  await turn();
  assert.deepEqual(socket().sent.slice(1), [`2:${Buffer.from(PUBLISH.join(''), 'hex').toString('base64')}`]);
});

test('a packet above a frame goes in parts, each after the answer to the one before, and alone', async () => {
  const { socket, write } = await connected();
  const packet = Buffer.alloc(60_010);
  packet.set(Buffer.from('32e6d4030001610003', 'hex'));
  write(packet.toString('hex'));
  write(PUBLISH[0]);
  await turn();
  for (const number of [2, 3, 4]) socket().say(`${number}:`);
  const [, ...sent] = socket().sent;
  assert.deepEqual(
    sent.map((text) => text.slice(0, text.indexOf(':'))),
    ['2+', '3+', '4', '5'],
  );
  const bytes = sent.map((text) => Buffer.from(text.slice(text.indexOf(':') + 1), 'base64'));
  assert.ok(Buffer.concat(bytes.slice(0, 3)).equals(packet));
  assert.equal(bytes[3]?.toString('hex'), PUBLISH[0]);
  for (const text of sent) assert.ok(text.length <= 32 * 1024);
});

test('bufferedAmount is what the server has not answered', async () => {
  const { client, socket, write } = await connected();
  assert.equal(client.bufferedAmount, 0);
  write(PUBLISH[0]);
  assert.equal(client.bufferedAmount, 9);
  await turn();
  write(PUBLISH[1]);
  assert.equal(client.bufferedAmount, 18);
  await turn();
  socket().say('2:QAIAAQ==');
  assert.equal(client.bufferedAmount, 9);
  socket().say('3:');
  assert.equal(client.bufferedAmount, 0);
});

test('below MQTT 5 PINGREQ is answered here, after send has returned, and no frame goes out', async () => {
  const { read, socket, write } = await connected(CONNECT_3_1_1);
  write('c000');
  assert.equal(read().length, 1);
  await turn();
  assert.deepEqual(read().slice(1), ['d000']);
  assert.equal(socket().sent.length, 1);
});

test('at MQTT 5 PINGREQ is sent', async () => {
  const { socket, write } = await connected(CONNECT_5);
  write('c000');
  await turn();
  assert.deepEqual(socket().sent.slice(1), ['2:wAA=']);
});

test('a heartbeat goes out when no frame did for nine minutes, and one without an answer makes it resume', async () => {
  const { clock, socket, write } = await connected();
  await clock.pass(8 * MINUTE_MS);
  write(PUBLISH[0]);
  await turn();
  socket().say('2:');
  await clock.pass(9 * MINUTE_MS - 1);
  assert.equal(socket().sent.at(-1), FRAME[0]);
  await clock.pass(1);
  assert.equal(socket().sent.at(-1), '3:');
  await clock.pass(30_000);
  assert.equal(socket().url, RESUMING);
});

test('nothing of the worker is handed on before the CONNACK, and then in order', async () => {
  const { read, socket, write } = stage();
  socket().open();
  write(CONNECT_3_1_1);
  await turn();
  socket().say('w1.2:MAUAAWEyMg==');
  socket().say('w1.1:MAUAAWExMQ==');
  assert.deepEqual(read(), []);
  socket().say('1:IAIAAA==');
  assert.deepEqual(read(), ['20020000', '30050001613131', '30050001613232']);
});

test('an answer before the CONNACK, to a part of a large CONNECT, lets nothing of the worker through', async () => {
  const { read, socket, write } = stage();
  socket().open();
  const connect = Buffer.alloc(30_004);
  connect.set(Buffer.from('10b0ea0100044d51545404', 'hex'));
  write(connect.toString('hex'));
  await turn();
  assert.match(socket().sent[0] ?? '', /^1\+:/);
  socket().say('w1.1:MAUAAWExMQ==');
  socket().say('1:');
  assert.deepEqual(read(), []);
  socket().say('2:IAIAAA==');
  assert.deepEqual(read(), ['20020000', '30050001613131']);
});

test('of the worker, older epochs and what was had are dropped, and a new epoch begins anew', async () => {
  const { read, socket } = await connected();
  socket().say('w2.1:MAUAAWExMQ==');
  socket().say('w2.1:MAUAAWExMQ==');
  socket().say('w1.2:MAUAAWEyMg==');
  socket().say('w2.3:MAUAAWEzMw==');
  socket().say('w3.1:MAUAAWEyMg==');
  assert.deepEqual(read().slice(1), ['30050001613131', '30050001613232']);
});

test('a packet of the worker that is cut into frames is handed on whole', async () => {
  const { read, socket } = await connected();
  socket().say('w1.1:MAUA');
  assert.equal(read().length, 1);
  socket().say('w1.2:AWExMTAF');
  assert.deepEqual(read().slice(1), ['30050001613131']);
});

for (const [what, said, code] of [
  ['an answer to what was not sent', '9:', 1002],
  ['!malformed', '!malformed', 1002],
  ['!too-large', '!too-large', 1009],
  ['!unknown', '!unknown', 1011],
  ['an answer that is the last', '1!:', 1000],
  ['a stream of the worker that is not MQTT', 'w1.1:MP////8=', 1002],
  ['a frame of the worker far ahead of what is due', 'w1.66:', 1002],
] as const) {
  test(`${what} ends the connection with ${code}, and nobody resumes`, async () => {
    const { clock, events, socket, write } = code === 1000 ? stage() : await connected();
    if (code === 1000) {
      socket().open();
      write(CONNECT_3_1_1);
      await turn();
    }
    socket().say(said);
    assert.deepEqual([events.at(-1)?.type, events.at(-1)?.code], ['close', code]);
    assert.equal(socket().closed, 1000);
    assert.equal(clock.timers, 0);
    assert.equal(ScriptedSocket.all.length, 1);
  });
}

test('what is written and is not MQTT ends the connection', async () => {
  const { events, write } = await connected();
  write('30ffffffffff');
  await turn();
  assert.deepEqual([events.at(-1)?.type, events.at(-1)?.code], ['close', 1002]);
});

for (const [what, said] of [
  ["the gateway's own JSON", GATEWAY_ERROR],
  ['a text that is no frame', 'hello'],
  ['a binary message', new ArrayBuffer(2)],
] as const) {
  test(`${what} makes it resume at once, with the frame in doubt under its number`, async () => {
    const { read, socket, write } = await connected();
    write(PUBLISH[0]);
    await turn();
    socket().say(said);
    assert.equal(socket().url, RESUMING);
    socket().open();
    assert.deepEqual(socket().sent, [FRAME[0]]);
    socket().say('2:QAIAAQ==;r8.next');
    assert.deepEqual(read().slice(1), ['40020001']);
    socket().lose();
    assert.equal(socket().url, `${FIRST}&resume=r8.next`);
  });
}

test('!unavailable: the same frame again after a while, and after longer; given up after 30 s', async () => {
  const { clock, events, socket, write } = await connected();
  const startMs = clock.nowMs;
  write(PUBLISH[0]);
  await turn();
  let heard = 1;
  while (events.at(-1)?.type !== 'close') {
    if (socket().sent.length > heard) {
      heard = socket().sent.length;
      socket().say('!unavailable');
    }
    await clock.pass(50);
  }
  assert.ok(heard >= 5 && heard <= 9, `${heard}`);
  assert.deepEqual(new Set(socket().sent.slice(1)), new Set([FRAME[0]]));
  assert.ok(clock.nowMs - startMs >= 30_000 && clock.nowMs - startMs <= 30_200, `${clock.nowMs - startMs}`);
  assert.deepEqual([ScriptedSocket.all.length, events.at(-1)?.code], [1, 1006]);
});

test('what is told stays in order, even where hearing it makes more be told', async () => {
  const { client, events, socket, write } = await connected();
  const told: string[] = [];
  client.onmessage = () => {
    told.push('message');
    socket().say('w1.3:0AA=');
    told.push('heard');
  };
  client.onclose = () => told.push('close');
  write(PUBLISH[0]);
  await turn();
  socket().say('w1.2:0AA=');
  socket().say('w1.1:0AA=');
  assert.deepEqual(told, ['message', 'heard', 'message', 'heard', 'message', 'heard']);
  socket().say('2!:QAIAAQ==');
  assert.deepEqual(told.slice(6), ['message', 'heard', 'close']);
  assert.equal(events.at(-1)?.type, 'close');
});
