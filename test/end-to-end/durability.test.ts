import assert from 'node:assert/strict';
import { test } from 'node:test';
import { persistentOptions, StockClient } from '../support/clients.js';
import { freePort } from '../support/ports.js';
import { Program } from '../support/program.js';
import { type SystemCall, SystemCalls } from '../support/system-calls.js';

const ROUNDS = 5;
/** Packet types (section 2.1.2) that promise something, and how often each is due. */
const ANSWERS = [
  { name: 'CONNACK', type: 2, due: 1 },
  { name: 'PUBACK', type: 4, due: 2 * ROUNDS },
  { name: 'PUBREC', type: 5, due: ROUNDS },
  { name: 'PUBCOMP', type: 7, due: ROUNDS },
  { name: 'SUBACK', type: 9, due: ROUNDS },
  { name: 'UNSUBACK', type: 11, due: ROUNDS },
];

/**
 * `kill -9` keeps the page cache and so proves nothing here: look at the order of the system calls. Over plain TCP, as there
 * a packet's first byte is the first of its write. What LMDB does to make a commit durable: see `environment.ts`.
 */
test('no answer leaves before the commit that it promises is flushed to the disk', async (t) => {
  const url = `mqtt://127.0.0.1:${await freePort()}`;
  const program = await Program.start(t, { PULSEGATE_LISTEN: `ws://127.0.0.1:0/mqtt,${url}` });
  const calls = await SystemCalls.attach(t, program.pid, program.directory);
  if (calls === null) return t.skip('nothing to see system calls with');
  const client = await StockClient.connect(t, url, 5, persistentOptions(5, 'durable'));
  for (let round = 0; round < ROUNDS; round += 1) {
    const topic = `durability/${round}`;
    await client.publish(topic, 'once or more', { qos: 1 });
    await client.publish(topic, 'once', { qos: 2 });
    await client.publish(topic, 'kept', { qos: 1, retain: true });
    await client.subscribe(`${topic}/of-nobody`, { qos: 1 });
    await client.unsubscribe(`${topic}/of-nobody`);
  }
  const seen = await calls.stop();

  for (const { name, type, due } of ANSWERS) {
    const answers = seen.filter((call) => isSocketWrite(call) && call.bytes[0]! >> 4 === type);
    assert.equal(answers.length, due, `${name} in what strace saw`);
    for (const answer of answers) {
      const request = seen.findLast((call) => isRequest(call) && call.fd === answer.fd && call.ended < answer.begun);
      assert.ok(request, `what the ${name} answers`);
      assert.ok(
        isFlushed(seen, request.ended, answer.begun),
        `${name} at line ${answer.begun} is not of a durable commit`,
      );
    }
  }
});

/** A flush that began after `after` and, by the same thread, the meta page that is believed after a power cut; both ended. */
function isFlushed(seen: readonly SystemCall[], after: number, before: number): boolean {
  const within = seen.filter(({ path, result, begun, ended }) => {
    return path.endsWith('/data.mdb') && result >= 0 && begun > after && ended < before;
  });
  return within.some((sync) => {
    if (sync.name !== 'fdatasync') return false;
    return within.some(
      ({ name, thread, begun }) => name === 'pwrite64' && thread === sync.thread && begun > sync.ended,
    );
  });
}

function isSocketWrite({ name, path, bytes }: SystemCall): boolean {
  return /^(write|writev|sendto|sendmsg)$/.test(name) && path.startsWith('socket:') && bytes.length > 0;
}

function isRequest({ name, path, result }: SystemCall): boolean {
  return name === 'read' && path.startsWith('socket:') && result > 0;
}
