import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connected, ScriptedSocket, type Stage, stage, TOKEN, turn } from './scripted.js';

const PUBLISH = ['320700016100016869', '32070001610002686f'] as const;
const FRAME = '2:MgcAAWEAAWhp';
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const RESUMING = `wss://example.test/mqtt?stage=1&v=1&resume=${TOKEN}`;
/** Renewal at an age that is not drawn, and no heartbeat before it. */
const RENEWS_AT_110_MIN = { timing: { heartbeatMs: 9 * HOUR_MS, renewJitterMs: 0 } };

const types = ({ events }: Stage) => events.map(({ type }) => type);
const last = ({ events }: Stage) => [events.at(-1)?.type, events.at(-1)?.code];

test('without an answer for 30 s it opens another socket, repeats the frame there, and then closes the old one', async () => {
  const client = await connected();
  const { clock, socket, write } = client;
  const old = socket();
  write(PUBLISH[0]);
  await clock.pass(29_999);
  assert.equal(socket(), old);
  await clock.pass(1);
  assert.equal(socket().url, RESUMING);
  socket().open();
  assert.deepEqual(socket().sent, [FRAME]);
  assert.equal(old.closed, null);
  socket().say('2:QAIAAQ==');
  await clock.pass(30_000);
  assert.equal(old.closed, 4001);
  assert.deepEqual(types(client), ['open', 'message', 'message']);
});

test('a late answer on the old socket counts, and the same again on the new one does not', async () => {
  const { clock, read, socket, write } = await connected();
  const old = socket();
  write(PUBLISH[0]);
  await clock.pass(30_000);
  old.say('2:QAIAAQ==');
  socket().open();
  // Where the connection is now is told by a heartbeat.
  assert.deepEqual(socket().sent, ['3:']);
  socket().say('2:QAIAAQ==');
  assert.deepEqual(read(), ['20020000', '40020001']);
});

test('where the frame was sent again on the new socket, its answer on the old one is not waited with, nor told twice', async () => {
  const { clock, read, socket, write } = await connected();
  const old = socket();
  write(PUBLISH[0]);
  await clock.pass(30_000);
  socket().open();
  write(PUBLISH[1]);
  await turn();
  old.say('2:QAIAAQ==');
  // The next frame must not overtake the one that is under way on the new socket.
  assert.deepEqual([socket().sent, read().length], [[FRAME], 1]);
  socket().say('2:QAIAAQ==');
  assert.deepEqual([socket().sent.length, read().slice(1)], [2, ['40020001']]);
});

test('a lost socket is tried again at 0, then after longer and longer, and given up after 30 s', async () => {
  const client = await connected();
  const { clock, socket } = client;
  const first = clock.nowMs;
  const attempts: number[] = [];
  let seen = socket();
  seen.lose();
  while (last(client)[0] !== 'close') {
    if (socket() !== seen) {
      attempts.push(clock.nowMs - first);
      seen = socket();
      seen.lose();
    }
    await clock.pass(1);
  }
  assert.equal(attempts[0], 0);
  assert.ok(attempts.length >= 6 && attempts.length <= 8, `${attempts}`);
  for (const [at, time] of attempts.slice(1).entries()) {
    const waited = time - (attempts[at] ?? 0);
    assert.ok(waited >= 250 * 2 ** at && waited <= 500 * 2 ** at + 1, `${attempts}`);
  }
  assert.equal(clock.nowMs - first, 30_000);
  assert.deepEqual([types(client).at(-2), ...last(client)], ['error', 'close', 1006]);
  assert.equal(client.events.at(-1)?.wasClean, false);
  assert.equal(clock.timers, 0);
});

test('a socket that never opens is given up after 15 s', async () => {
  const first = stage();
  await first.clock.pass(15_000);
  assert.deepEqual([types(first), first.socket().closed], [['error', 'close'], 1000]);
  const { clock, socket } = await connected();
  socket().lose();
  const second = socket();
  await clock.pass(15_500);
  assert.equal(second.closed, 1000);
  assert.notEqual(socket(), second);
});

test('without a token a lost socket is the end', async () => {
  const client = await connected(undefined, '');
  client.socket().lose(1001, 'going away');
  assert.deepEqual(last(client), ['close', 1001]);
  assert.equal(client.events.at(-1)?.reason, 'going away');
  assert.equal(ScriptedSocket.all.length, 1);
});

test('a close that the server means is the end, and one for age or silence is not', async () => {
  const taken = await connected();
  taken.socket().lose(1000);
  assert.deepEqual([...last(taken), ScriptedSocket.all.length], ['close', 1000, 1]);
  const aged = await connected();
  aged.socket().lose(1001, 'Going away');
  assert.equal(aged.socket().url, RESUMING);
});

test('a resumed connection says what it has of the worker, until that is answered', async () => {
  const { clock, read, socket, write } = await connected();
  const first = socket();
  first.say('w7.1:MAUAAWExMQ==');
  first.say('w7.2:MAUAAWEyMg==');
  first.say('w7.4:MAUAAWEzMw==');
  first.lose();
  socket().open();
  assert.deepEqual(socket().sent, ['2@7.2:']);
  socket().say('!unavailable');
  await clock.pass(1_000);
  assert.deepEqual(socket().sent, ['2@7.2:', '2@7.2:']);
  socket().say('2:;r8.next');
  socket().say('w7.3:0AA=');
  write(PUBLISH[0]);
  await turn();
  assert.equal(socket().sent[2], '3:MgcAAWEAAWhp');
  assert.deepEqual(read().slice(1), ['30050001613131', '30050001613232', 'd000', '30050001613333']);
});

test('a worker frame that is missing for 10 s makes it resume from there, and one that comes in time does not', async () => {
  const client = await connected();
  const { clock, socket } = client;
  const old = socket();
  old.say('w1.1:0AA=');
  old.say('w1.3:0AA=');
  await clock.pass(9_999);
  old.say('w1.2:0AA=');
  await clock.pass(60_000);
  assert.equal(socket(), old);
  old.say('w1.5:0AA=');
  await clock.pass(10_000);
  assert.equal(socket().url, RESUMING);
  socket().open();
  assert.deepEqual(socket().sent, ['2@1.3:']);
  socket().say('2:');
  socket().say('w1.6:0AA=');
  await clock.pass(10_000);
  assert.deepEqual(last(client), ['close', 1006], 'where that did not bring it, nothing will');
});

test('sockets are replaced between 100 and 110 minutes of age, each client at a time of its own', async () => {
  const ages = new Set<number>();
  for (let at = 0; at < 12; at += 1) {
    const { clock, socket } = await connected(undefined, undefined, {
      random: () => at / 12,
      timing: { heartbeatMs: 9 * HOUR_MS },
    });
    const [old, startMs] = [socket(), clock.nowMs];
    await clock.pass(100 * MINUTE_MS - 1);
    assert.equal(socket(), old);
    while (socket() === old && clock.nowMs - startMs <= 110 * MINUTE_MS) await clock.pass(1_000);
    assert.equal(socket().url, RESUMING);
    ages.add(Math.round((clock.nowMs - startMs) / 1_000));
  }
  assert.ok(ages.size > 8, `${[...ages]}`);
});

test('renewing waits for the frame in flight, holds frames until the new socket is open, and reads both', async () => {
  const { clock, read, socket, write } = await connected(undefined, undefined, RENEWS_AT_110_MIN);
  const old = socket();
  await clock.pass(110 * MINUTE_MS - 1);
  write(PUBLISH[0]);
  await clock.pass(1_000);
  assert.equal(socket(), old);
  old.say('2:QAIAAQ==');
  assert.equal(socket().url, RESUMING);
  write(PUBLISH[1]);
  await turn();
  old.say('w1.1:MAUAAWExMQ==');
  assert.deepEqual(old.sent.slice(1), [FRAME]);
  socket().open();
  old.say('w1.3:MAUAAWEzMw==');
  socket().say('w1.2:MAUAAWEyMg==');
  assert.deepEqual(socket().sent, ['3@1.1:MgcAAWEAAmhv']);
  socket().say('3:QAIAAg==;r8.next');
  assert.deepEqual(read().slice(1), ['40020001', '30050001613131', '30050001613232', '30050001613333', '40020002']);
  await clock.pass(30_000);
  assert.equal(old.closed, 4001);
});

test('a renewal that fails leaves the old socket in use, and is tried again', async () => {
  const client = await connected(undefined, undefined, RENEWS_AT_110_MIN);
  const { clock, socket, write } = client;
  const old = socket();
  await clock.pass(110 * MINUTE_MS);
  assert.notEqual(socket(), old);
  socket().lose();
  write(PUBLISH[0]);
  await turn();
  assert.deepEqual(old.sent.slice(1), [FRAME]);
  old.say('2:');
  await clock.pass(30_000);
  assert.equal(ScriptedSocket.all.length, 3);
  assert.equal(types(client).includes('error'), false);
});

test('asked by the server, it goes on with another socket as soon as nothing is in flight', async () => {
  const { socket, write } = await connected();
  const old = socket();
  write(PUBLISH[0]);
  await turn();
  old.say('!resume');
  assert.equal(socket(), old);
  old.say('2:QAIAAQ==');
  assert.equal(socket().url, RESUMING);
});

test('over six hours every socket is replaced in time and nothing is noticed', async () => {
  const client = await connected();
  const { clock } = client;
  const born = new Map(ScriptedSocket.all.map((socket) => [socket, clock.nowMs]));
  ScriptedSocket.all[0]?.sent.splice(0);
  for (let second = 0; second < 6 * 360; second += 1) {
    await clock.pass(10_000);
    for (const socket of ScriptedSocket.all) {
      if (!born.has(socket)) {
        born.set(socket, clock.nowMs);
        socket.open();
      }
      for (const text of socket.sent.splice(0)) socket.say(`${Number.parseInt(text, 10)}:`);
      if (socket.closed === null) assert.ok(clock.nowMs - (born.get(socket) ?? 0) < 2 * HOUR_MS);
    }
  }
  assert.equal(born.size, 4);
  assert.deepEqual(types(client), ['open', 'message']);
});

test('a close while it resumes waits for the new socket if something is written, and does not otherwise', async () => {
  const idle = await connected();
  idle.socket().lose();
  idle.client.close();
  await turn();
  assert.deepEqual(last(idle), ['close', 1000]);
  const busy = await connected();
  busy.socket().lose();
  busy.write('e000');
  busy.client.close();
  await turn();
  busy.socket().open();
  assert.deepEqual(busy.socket().sent, ['2:4AA=']);
  busy.socket().say('2!:');
  assert.deepEqual(last(busy), ['close', 1000]);
});

test('a second loss closes the socket that was still read', async () => {
  const { clock, socket, write } = await connected();
  const first = socket();
  write(PUBLISH[0]);
  await clock.pass(30_000);
  const second = socket();
  second.open();
  second.say('2:');
  assert.equal(first.closed, null);
  second.say('{"message": "Internal server error"}');
  assert.deepEqual([first.closed, second.closed], [4001, null]);
});

test('a socket that opens after it was given up, or in the turn of the close, is left alone', async () => {
  const late = await connected();
  late.socket().lose();
  const socket = late.socket();
  await late.clock.pass(30_000);
  socket.open();
  assert.deepEqual(socket.sent, []);
  const closed = stage();
  closed.client.close();
  closed.socket().open();
  await turn();
  assert.deepEqual(types(closed), ['close']);
});
