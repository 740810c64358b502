import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { createContext, runInContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { transform } from 'esbuild';
import { PulsegateSocket, type SocketEvent } from '../../functions/client/index.js';
import { CONNECT_3_1_1, connected, ScriptedSocket, stage, turn } from './scripted.js';

const GZIPPED_MAX_BYTES = 6_000;

test(`the bundle is at most ${GZIPPED_MAX_BYTES} bytes gzipped, and imports nothing`, (context) => {
  const bundle = readFileSync('dist/client.js', 'utf8');
  const bytes = gzipSync(bundle, { level: 9 }).length;
  context.diagnostic(`${bytes} bytes gzipped, ${bundle.length} plain`);
  assert.ok(bytes <= GZIPPED_MAX_BYTES, `${bytes}`);
  assert.equal(/\bimport\b/.test(bundle), false);
});

test('pulsegate/client is what the package exports', async () => {
  const name = 'pulsegate/client';
  const exported = (await import(name)) as Record<string, unknown>;
  assert.deepEqual(Object.keys(exported).sort(), ['PulsegateSocket', 'createWebsocket', 'createWebsocketWith']);
});

test('pulsegate/client brings its types', (t) => {
  execFileSync('npm', ['run', '-s', 'build:types'], { stdio: 'pipe' });
  // Inside the package, which may import itself by its name.
  const folder = mkdtempSync('dist/types-');
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(
    `${folder}/user.mts`,
    `import mqtt from 'mqtt';
    import { createWebsocket, createWebsocketWith, type Options, PulsegateSocket } from 'pulsegate/client';
    const options: Options = { timing: { heartbeatMs: 60_000 } };
    mqtt.connect('wss://example.test', { createWebsocket });
    mqtt.connect('wss://example.test', { createWebsocket: createWebsocketWith(options) });
    // @ts-expect-error: bytes, never text
    new PulsegateSocket('wss://example.test').send('text');`,
  );
  const flags = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2022'];
  execFileSync('npx', ['tsc', '--ignoreConfig', ...flags, `${folder}/user.mts`], { stdio: 'pipe' });
});

test('the bundle runs where there is nothing but the language, timers and a WebSocket, as in React Native', async () => {
  const source = readFileSync('dist/client.js', 'utf8');
  const { code } = await transform(source, { format: 'iife', globalName: 'pulsegate' });
  ScriptedSocket.all = [];
  const got: number[][] = [];
  const context = createContext({
    WebSocket: ScriptedSocket,
    got,
    setTimeout: () => 1,
    clearTimeout: () => {},
    connect: [...Buffer.from(CONNECT_3_1_1, 'hex')],
  });
  for (const name of [
    'Buffer',
    'atob',
    'btoa',
    'TextEncoder',
    'URL',
    'Blob',
    'Event',
    'queueMicrotask',
    'process',
    'TextDecoder',
    'EventTarget',
  ]) {
    assert.equal(runInContext(`typeof ${name}`, context), 'undefined', name);
  }
  runInContext(
    `${code}
    const socket = pulsegate.createWebsocket('wss://example.test/', ['mqtt']);
    socket.onmessage = ({ data }) => got.push([...new Uint8Array(data)]);
    socket.onopen = () => socket.send(new Uint8Array(connect));`,
    context,
  );
  const [socket] = ScriptedSocket.all;
  socket?.open();
  await turn();
  assert.deepEqual(socket?.sent, ['1:EBAABE1RVFQEAgA8AAR0ZXN0']);
  socket?.say('1:IAIAAA==');
  assert.deepEqual(JSON.stringify(got), '[[32,2,0,0]]');
});

test('it has the shape of a WebSocket', () => {
  const { client } = stage();
  assert.deepEqual([client.CONNECTING, client.OPEN, client.CLOSING, client.CLOSED], [0, 1, 2, 3]);
  const { CONNECTING, OPEN, CLOSING, CLOSED } = PulsegateSocket;
  assert.deepEqual([CONNECTING, OPEN, CLOSING, CLOSED], [0, 1, 2, 3]);
  const { url, protocol, extensions, readyState, bufferedAmount, binaryType } = client;
  assert.deepEqual(
    [url, protocol, extensions, readyState, bufferedAmount, binaryType],
    ['wss://example.test/mqtt?stage=1', 'mqtt', '', 0, 0, 'arraybuffer'],
  );
});

test('send throws before it is open, on text, and drops what comes after close', async () => {
  const { client, socket, write } = stage();
  assert.throws(() => write(CONNECT_3_1_1), /not open yet/);
  socket().open();
  assert.throws(() => client.send('text' as never), TypeError);
  client.close();
  write(CONNECT_3_1_1);
  await turn();
  assert.deepEqual(socket().sent, []);
});

test('send takes an ArrayBuffer and any view of one, and copies it', async () => {
  const { client, socket } = stage();
  socket().open();
  const bytes = Buffer.from(`ffff${CONNECT_3_1_1}ffff`, 'hex');
  const copy = new Uint8Array(bytes);
  client.send(new DataView(copy.buffer, 2, 4));
  client.send(copy.slice(6, -2).buffer);
  copy.fill(0);
  await turn();
  assert.deepEqual(socket().sent, ['1:EBAABE1RVFQEAgA8AAR0ZXN0']);
});

test('onX and listeners are told once each, in order; once and removal work', async () => {
  const { client, socket } = stage();
  const told: string[] = [];
  const removed = () => told.push('removed');
  const twice = ({ type }: SocketEvent) => told.push(`listener ${type}`);
  client.onopen = ({ type, target }) => told.push(`on ${type} ${target === client}`);
  client.addEventListener('open', twice);
  client.addEventListener('open', twice);
  client.addEventListener('open', { handleEvent: () => told.push('object') });
  client.addEventListener('message', () => told.push('once'), { once: true });
  client.addEventListener('open', removed);
  client.removeEventListener('open', removed);
  socket().open();
  client.send(Buffer.from(CONNECT_3_1_1, 'hex'));
  await turn();
  socket().say('1:IAIAAA==');
  socket().say('w1.1:0AA=');
  assert.deepEqual(told, ['on open true', 'listener open', 'object', 'once']);
});

test('a Blob comes where binaryType asks for one', async () => {
  const { client, events, socket } = await connected();
  client.binaryType = 'blob';
  socket().say('w1.1:0AA=');
  const { data } = events.at(-1) as SocketEvent;
  assert.ok(data instanceof Blob);
  assert.deepEqual([...new Uint8Array(await data.arrayBuffer())], [0xd0, 0]);
});

test('close sends what was written before it, waits for its answer, then closes', async () => {
  const { client, events, socket, write } = await connected();
  write('320700016100016869');
  await turn();
  write('e000');
  client.close(1000, 'bye');
  assert.equal(client.readyState, 2);
  await turn();
  assert.equal(socket().closed, null);
  socket().say('2:QAIAAQ==');
  assert.equal(socket().sent.at(-1), '3:4AA=');
  socket().say('3:');
  assert.equal(socket().closed, 1000);
  const { type, code, reason, wasClean } = events.at(-1) as SocketEvent;
  assert.deepEqual([type, code, reason, wasClean], ['close', 1000, 'bye', true]);
  assert.equal(client.readyState, 3);
});

test('close without anything to send is told after it has returned', async () => {
  const { client, events } = await connected();
  client.close();
  assert.equal(events.at(-1)?.type, 'message');
  await turn();
  assert.equal(events.at(-1)?.type, 'close');
});

test('close before it is open is an error and a close', async () => {
  const { client, events } = stage();
  client.close();
  await turn();
  assert.deepEqual(
    events.map(({ type, code }) => [type, code]),
    [
      ['error', 0],
      ['close', 1006],
    ],
  );
});

test('a close whose last frame gets no answer is told after 5 s', async () => {
  const { client, clock, events, write } = await connected();
  write('e000');
  client.close();
  await clock.pass(4_999);
  assert.equal(events.at(-1)?.type, 'message');
  await clock.pass(1);
  assert.deepEqual([events.at(-1)?.type, events.at(-1)?.code], ['close', 1000]);
});

test('where there is no WebSocket it says so', () => {
  assert.throws(() => new PulsegateSocket('ws://example.test', [], { WebSocket: 'none' }), /there is no WebSocket/);
});

test("send's callback comes at once while little is unanswered, and after the answer while much is", async () => {
  const { client, clock, socket } = await connected();
  const packet = Buffer.alloc(600_009);
  packet.set(Buffer.from('32c4cf240001610003', 'hex'));
  let called = 0;
  client.send(Buffer.from('300500016168 69'.replace(' ', ''), 'hex'), () => {
    called += 1;
  });
  await turn();
  assert.equal(called, 1);
  socket().say('2:');
  client.send(packet, () => {
    called += 1;
  });
  await clock.pass(1_000);
  assert.equal(called, 1);
  for (let counter = 3; counter <= 8; counter += 1) socket().say(`${counter}:`);
  assert.equal(called, 2);
});
