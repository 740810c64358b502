import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { MALFORMED } from '../mqtt/malformed.js';
import { assertAnswer } from '../mqtt/malformed-answers.js';
import { byte, hexOf, lengthed, uint16, wire } from '../mqtt/malformed-bytes.js';
import type { Case } from '../mqtt/malformed-case.js';
import { draftBytes, draftsOf, LEVELS, type Level, plainConnect } from '../mqtt/malformed-drafts.js';
import { PACKET_MAX_BYTES } from '../mqtt/malformed-headers.js';
import { TOPIC_ALIAS_MAXIMUM } from '../mqtt/malformed-meaning.js';
import { block, SECRET } from '../mqtt/malformed-properties.js';
import { answerTo } from '../mqtt/malformed-standard.js';
import { StockClient } from '../support/clients.js';
import { freePort } from '../support/ports.js';
import { type LogLine, Program } from '../support/program.js';
import { RawClient } from '../support/raw-client.js';
import { unique } from '../support/waiting.js';
import { ByteSocket } from './malformed-socket.js';

const AT_ONCE = 64;
const CONNECT_TIMEOUT_MS = 2_000;
const port = await freePort();
const program = await Program.start(
  { after },
  {
    PULSEGATE_LISTEN: `ws://127.0.0.1:0/mqtt,mqtt://127.0.0.1:${port}`,
    PULSEGATE_PACKET_MAX_BYTES: String(PACKET_MAX_BYTES),
    PULSEGATE_CONNECT_TIMEOUT_MS: String(CONNECT_TIMEOUT_MS),
    PULSEGATE_TOPIC_ALIAS_MAXIMUM: String(TOPIC_ALIAS_MAXIMUM),
  },
);

/** What became of a case. */
interface Outcome {
  one: Case;
  clientId: string;
  address: string;
  said: Buffer;
}

for (const [what, all] of Object.entries(MALFORMED)) {
  const cases = different(all);
  test(`what is wrong with ${what} is answered, closed and logged once, and disturbs nobody`, async (t) => {
    t.diagnostic(`${cases.length} packets`);
    const witness = await StockClient.connect(t, program.url, 5);
    await witness.subscribe('#');
    const logged = program.log.all.length;
    const outcomes = await attempted(cases, async (sent) => {
      await witness.publish('beat', String(sent), { qos: 1 });
    });
    const beats = (await witness.settled(witness)).map(({ topic, payload }) => `${topic} ${payload}`);
    assert.deepEqual(
      beats.filter((beat) => !beat.startsWith('beat ')),
      [],
    );
    assert.equal(beats.length, Math.ceil(cases.length / AT_ONCE));
    assertEach(outcomes, await refusalsOf(outcomes, logged));
  });
}

/** One case of each clause, level and moment: the transports differ in how they close, not in what is wrong. */
test('over WebSocket the close code says what kind of refusal it was', async (t) => {
  const kinds = new Map(
    Object.values(MALFORMED)
      .flat()
      .filter(({ level }) => level !== 3)
      .map((one) => [`${one.verdicts[0]?.clause} ${one.level} ${one.when} ${one.answerIn}`, one]),
  );
  assert.ok(kinds.size > 100);
  for (const one of kinds.values()) {
    const client = await RawClient.open(t, program.url, one.level as 4 | 5);
    if (one.when === 'connected') {
      client.write(plainConnect(one.level, unique('web')));
      await client.next('connack');
    }
    client.write(one.bytes);
    const isTooLarge = one.verdicts[0]?.reason === 0x95;
    assert.equal(await client.closeCode(), isTooLarge ? 1009 : 1002, one.name);
  }
});

/**
 * Filters that are none (sections 4.7.1 and 4.8.2). The standard has a reason for them in SUBACK, and one could close instead:
 * ours fail one by one, so that the good ones beside them are granted, and a client that resubscribes after a close does not loop.
 */
const NO_FILTERS = [
  ...['', 'a#', 'a/#/b', '#/a', '##', 'a+', '+a', 'a/+b/c', '++', 'a/b#'],
  ...[
    '$share/',
    '$share//',
    '$share//a',
    '$share/g',
    '$share/g/',
    '$share/+/a',
    '$share/#',
    '$share/#/a',
    '$share/g+/a',
  ],
  ...['$share/g#/a', '$share/g/a#', '$share/g/#/a', '$share/g/a+'],
];

for (const level of LEVELS) {
  test(`a filter that is none fails in its SUBACK alone, at level ${level}`, async () => {
    const socket = await ByteSocket.open(port);
    await accepted(socket, level, unique('filters'));
    const none = level === 5 ? [block()] : [];
    const filters = NO_FILTERS.flatMap((filter) => [lengthed(filter), byte(0), lengthed('good/+'), byte(1)]);
    socket.write(wire(0x82, Buffer.concat([uint16(5), ...none, ...filters])));
    const suback = await socket.take(2 + 2 + none.length + 2 * NO_FILTERS.length);
    assert.deepEqual([suback[0], suback.readUInt16BE(2)], [0x90, 5]);
    const failed = level === 5 ? 0x8f : 0x80;
    const codes = [...suback.subarray(-2 * NO_FILTERS.length)];
    assert.deepEqual(
      codes,
      NO_FILTERS.flatMap(() => [failed, 1]),
    );
    socket.write(wire(0xa2, Buffer.concat([uint16(6), ...none, ...NO_FILTERS.map((filter) => lengthed(filter))])));
    const unsuback = await socket.take(4);
    assert.deepEqual([unsuback[0], unsuback.readUInt16BE(2)], [0xb0, 6]);
    socket.write(Buffer.of(0xc0, 0));
    assert.deepEqual([...(await socket.take(2))], [0xd0, 0]);
    socket.end();
  });
}

test('a packet that is broken off anywhere by a close is not acted on', async (t) => {
  const witness = await StockClient.connect(t, program.url, 5);
  await witness.subscribe('#');
  const drafts = LEVELS.flatMap(draftsOf).filter(({ type }) => type === 'publish' || type === 'subscribe');
  for (const draft of drafts) {
    const bytes = draftBytes(draft);
    const prefixes = Array.from({ length: bytes.length }, (_, end) => bytes.subarray(0, end));
    await Promise.all(
      prefixes.map(async (prefix) => {
        const socket = await ByteSocket.open(port);
        await accepted(socket, draft.level, unique('broken'));
        socket.write(prefix);
        socket.end();
        assert.equal((await socket.rest()).length, 0);
      }),
    );
  }
  assert.deepEqual(await witness.settled(witness), []);
});

test('a CONNECT that is broken off by silence is closed without an answer when its time is over', async () => {
  const connect = plainConnect(5, unique('silent'));
  await Promise.all(
    Array.from({ length: connect.length }, async (_, end) => {
      const socket = await ByteSocket.open(port);
      socket.write(connect.subarray(0, end));
      assert.equal((await socket.rest()).length, 0);
    }),
  );
});

test('none of it was a defect, and no payload is in the log', async () => {
  assert.equal((await program.stop()).code, 0);
  assert.ok(!program.stderr.includes(SECRET));
  const errors = program.log.all.filter(({ level }) => level === 'error');
  assert.deepEqual(errors, []);
});

/** Without those of 3.1 that are a case of 3.1.1 byte by byte; the machine's own test has them all. */
function different(cases: readonly Case[]): Case[] {
  const byBytes = new Map(
    cases.map((one) => [`${one.when === 'connected' && one.level === 5} ${one.when} ${hexOf(one.bytes)}`, one]),
  );
  return [...byBytes.values()];
}

/** Sends all cases, each on a connection of its own, and tells `onBeat` from time to time. */
async function attempted(cases: readonly Case[], onBeat: (sent: number) => Promise<void>): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let next = 0;
  const work = async () => {
    for (let one = cases[next]; one !== undefined; one = cases[next]) {
      const place = next;
      next += 1;
      outcomes.push(await attempt(one));
      if (place % AT_ONCE === 0) await onBeat(place);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return outcomes;
}

async function attempt(one: Case): Promise<Outcome> {
  const clientId = unique('malformed');
  const socket = await ByteSocket.open(port);
  if (one.when === 'connected') await accepted(socket, one.level, clientId);
  // Nothing behind it may be acted on, nor may a good CONNECT help a bad one.
  socket.write(
    Buffer.concat([one.bytes, publication(one.level), byte(0xc0), byte(0), plainConnect(one.level, clientId)]),
  );
  return { one, clientId, address: socket.address, said: await socket.rest() };
}

async function accepted(socket: ByteSocket, level: Level, clientId: string): Promise<void> {
  socket.write(plainConnect(level, clientId));
  const connack = await socket.take(4);
  assert.deepEqual([connack[0], connack[2], connack[3]], [0x20, 0, 0]);
}

function publication(level: Level): Buffer {
  return wire(0x30, Buffer.concat([lengthed('behind'), ...(level === 5 ? [block()] : []), Buffer.from(SECRET)]));
}

/** The log's lines for these connections, by the address of the client, which may come again. */
async function refusalsOf(outcomes: readonly Outcome[], logged: number): Promise<Map<string, LogLine[]>> {
  const addresses = new Set(outcomes.map(({ address }) => address));
  const theirs = (all: readonly LogLine[]) => all.slice(logged).filter(({ peer }) => addresses.has(String(peer)));
  const all = await program.log.until('a line for each case', (lines) => theirs(lines).length >= outcomes.length);
  const byAddress = new Map<string, LogLine[]>();
  for (const line of theirs(all)) {
    const address = String(line.peer);
    byAddress.set(address, [...(byAddress.get(address) ?? []), line]);
  }
  return byAddress;
}

function assertEach(outcomes: readonly Outcome[], lines: ReadonlyMap<string, LogLine[]>): void {
  const failures: string[] = [];
  for (const outcome of outcomes) {
    try {
      assertRefused(outcome, lines.get(outcome.address)?.shift());
    } catch (failure) {
      failures.push(String((failure as Error).message).split('\n')[0] ?? '');
    }
  }
  for (const [address, left] of lines)
    for (const line of left) failures.push(`${address}: ${JSON.stringify(line)} as well`);
  assert.equal(failures.length, 0, `${failures.length} of ${outcomes.length}:\n${failures.slice(0, 30).join('\n')}`);
}

function assertRefused({ one, clientId, said }: Outcome, line: LogLine | undefined): void {
  const about = `${one.name} (level ${one.level}, ${one.when}: ${hexOf(one.bytes.subarray(0, 40))})`;
  assert.ok(line, `${about}: not logged`);
  const verdict = one.verdicts.find(({ clause }) => clause === line.clause);
  assert.ok(verdict, `${about}: ${line.clause} instead of ${one.verdicts.map(({ clause }) => clause).join(' or ')}`);
  assert.equal(line.event, 'connection-refused', about);
  if (one.when === 'connected') assert.equal(line.client, clientId, about);
  assertAnswer(said, answerTo(verdict, one.when, one.answerIn), about);
}
