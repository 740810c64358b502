import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { wholePackets } from '../../functions/dialect/packets.js';
import { type Fate, World } from './world.js';

const CONNECT = Buffer.from('101000044d5154540402003c000474657374', 'hex');
const FATES: readonly Fate[] = [
  ...(['well', 'well', 'well', 'twice', 'unavailable'] as const),
  ...(['crash-before-save', 'crash-after-save', 'silent', 'silent-after-save'] as const),
];
const FROM_WORKER = 0x32;
const FROM_CLIENT = 0x30;

/** A PUBLISH of so many bytes in all, numbered, so that each is told from the others. */
function packet(first: number, number: number, bytes: number): Uint8Array {
  const head = bytes < 130 ? 2 : bytes < 16_387 ? 3 : 4;
  let length = bytes - head;
  const packet = new Uint8Array(bytes);
  packet[0] = first;
  for (let at = 1; at < head; at += 1) {
    packet[at] = (length % 128) + (at < head - 1 ? 0x80 : 0);
    length = Math.floor(length / 128);
  }
  packet.set([number >> 8, number & 255], head);
  return packet;
}

/** In two frames, wherever that cuts it. */
function sayCut(world: World, bytes: Uint8Array, cut: number): void {
  const at = cut % bytes.length;
  if (at > 0) world.workerSays(bytes.subarray(0, at));
  world.workerSays(bytes.subarray(at));
}

const sizes = fc.oneof(
  fc.integer({ min: 10, max: 129 }),
  fc.integer({ min: 131, max: 300 }),
  fc.integer({ min: 23_000, max: 120_000 }),
);
const move = fc.oneof(
  fc.record({ kind: fc.constant('write' as const), bytes: sizes, cut: fc.nat() }),
  fc.record({ kind: fc.constant('worker-says' as const), bytes: sizes, cut: fc.nat() }),
  fc.record({ kind: fc.constant('handle' as const), fate: fc.constantFrom(...FATES), old: fc.boolean() }),
  fc.record({ kind: fc.constant('arrive' as const), old: fc.boolean() }),
  fc.record({ kind: fc.constant('post' as const), isKnown: fc.boolean() }),
  fc.record({ kind: fc.constant('arrive-post' as const), at: fc.nat() }),
  fc.constantFrom(
    { kind: 'connect' as const },
    { kind: 'drop' as const },
    { kind: 'refuse' as const },
    { kind: 'tick' as const },
  ),
);

test('whatever is lost, repeated, overtaken or crashes, both streams arrive whole, once and in order', () => {
  let resumes = 0;
  fc.assert(
    fc.property(fc.integer({ min: 0 }), fc.array(move, { maxLength: 150, size: 'max' }), (seed, moves) => {
      const world = new World(seed);
      const written: Uint8Array[] = [CONNECT];
      const said: Uint8Array[] = [];
      // The token comes with the first answer: before it there is nothing to resume.
      world.connect();
      world.write(CONNECT);
      world.handle(1, 'well');
      world.workerSays(packet(FROM_WORKER, 999, 10));
      said.push(packet(FROM_WORKER, 999, 10));
      world.post(true);
      world.arrivePost(0);
      world.arrive(1);
      for (const one of moves) {
        const wires = [...world.wires.keys()];
        const wire = ('old' in one && one.old ? wires[0] : wires.at(-1)) ?? 0;
        switch (one.kind) {
          case 'write': {
            const bytes = packet(FROM_CLIENT, written.length, one.bytes);
            written.push(bytes);
            const at = one.cut % bytes.length;
            world.write(bytes.subarray(0, at));
            world.write(bytes.subarray(at));
            break;
          }
          case 'worker-says':
            said.push(packet(FROM_WORKER, said.length, one.bytes));
            sayCut(world, said.at(-1)!, one.cut);
            break;
          case 'handle':
            world.handle(wire, one.fate);
            break;
          case 'arrive':
            world.arrive(wire);
            break;
          case 'post':
            world.post(one.isKnown);
            break;
          case 'arrive-post':
            world.arrivePost(one.at);
            break;
          case 'connect':
            world.connect();
            break;
          case 'drop':
            world.drop(wire);
            break;
          case 'refuse':
            world.refuseHandshake();
            break;
          case 'tick':
            world.tick();
            break;
        }
      }
      if (world.ended === null) world.settle();
      assert.equal(world.ended, null, JSON.stringify(world.ended));
      assert.deepEqual(Buffer.concat(world.stepped), Buffer.concat(written));
      const [connack, ...rest] = world.delivered;
      assert.equal(connack?.[0], 0x20);
      const fromWorker = rest.filter(([first]) => first === FROM_WORKER);
      assert.deepEqual(Buffer.concat(fromWorker), Buffer.concat(said));
      const answers = rest.filter(([first]) => first !== FROM_WORKER);
      assert.deepEqual(Buffer.concat([connack!, ...answers]), Buffer.concat(world.answers));
      // Nothing came in pieces: an answer may stand between any two of what was handed on.
      for (const bytes of world.delivered) assert.equal(wholePackets(bytes), bytes.length);
      assert.equal(world.client.outbox.bytes, 0);
      resumes += world.client.sockets - 1;
    }),
    { numRuns: 200 },
  );
  assert.ok(resumes > 200, `only ${resumes} resumes: the schedules are too tame`);
});
