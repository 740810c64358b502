import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { persistentOptions, StockClient } from '../support/clients.js';
import { Program, runProgram } from '../support/program.js';
import { persistent, RawClient } from '../support/raw-client.js';
import { SmallDisk } from '../support/small-disk.js';
import { unique } from '../support/waiting.js';

const MIB = 1024 * 1024;
const QUOTA_EXCEEDED = 0x97;
/** The disk is full in seconds; what was refused for a queue is tried again up to 5 s later, several times. */
const FILL_DEADLINE_MS = 60_000;

test('a full disk: publications are refused, all else goes on, room is used at once, nothing acknowledged is lost', async (t) => {
  const disk = SmallDisk.mount(t, 12 * MIB, 4 * MIB);
  if (disk === null) return t.skip('no small disk here');
  const program = await startOn(t, disk);
  const absent = persistentOptions(5, unique('absent'));
  const offline = await StockClient.connect(t, program.url, 5, absent);
  await offline.subscribe(['fill/#', 'kept', 'after'], { qos: 1 });
  await offline.disconnect();
  const keeper = await StockClient.connect(t, program.url, 5);
  await keeper.publish('kept', 'before', { qos: 1, retain: true });

  const publishers = [new Publisher(await StockClient.connect(t, program.url, 5), 0), new Publisher(keeper, 1)];
  await Promise.all(publishers.map((publisher) => publisher.fill()));
  assert.ok(disk.freeBytes < 2 * MIB, `${disk.freeBytes} bytes are free on the disk that is full`);

  assert.equal(await refusal(keeper.publish('fill/2', large(), { qos: 2 })), QUOTA_EXCEEDED);
  assert.equal(await refusal(keeper.publish('kept', large(), { qos: 1, retain: true })), QUOTA_EXCEEDED);
  const older = await StockClient.connect(t, program.url, 4);
  older.publish('fill/3', large(), { qos: 1 }).catch(() => {});
  await older.closed();

  // Sessions still come, are saved, and get what is stored.
  const second = persistentOptions(5, unique('second'));
  const reader = await StockClient.connect(t, program.url, 5, second);
  assert.deepEqual(await reader.subscribe(['kept', 'after'], { qos: 1 }), [1, 1]);
  assert.equal((await reader.messages.take('what is retained')).payload, 'before');
  const acknowledged = new Set(publishers.flatMap((publisher) => publisher.acknowledged));
  assert.ok(acknowledged.size > 1_000, `only ${acknowledged.size} were acknowledged before the disk was full`);
  const present = await StockClient.connect(t, program.url, 5, absent);
  assert.equal(present.connack.sessionPresent, true);
  await arrived(present, acknowledged);

  disk.dropBallast();
  await keeper.publish('after', 'there is room', { qos: 1 });
  await reader.messages.find('what was published since', ({ topic }) => topic === 'after');
  await keeper.publish('kept', 'since', { qos: 1, retain: true });

  // A second time round, into the killing.
  await present.disconnect();
  for (const publisher of publishers) publisher.forget();
  await Promise.all(publishers.map((publisher) => publisher.fill()));
  await program.kill();
  assert.doesNotMatch(program.stderr, /Write error|do_write error/, 'LMDB met the full disk');
  await program.start();
  const resumed = await StockClient.connect(t, program.url, 5, absent);
  assert.equal(resumed.connack.sessionPresent, true);
  await arrived(resumed, new Set(publishers.flatMap((publisher) => publisher.acknowledged)));
  const late = await StockClient.connect(t, program.url, 5);
  await late.subscribe('kept');
  assert.equal((await late.messages.take('what is retained')).payload, 'since');
});

test('a disk full of sessions: CONNECT is refused, SUBSCRIBE is answered when there is room', async (t) => {
  const disk = SmallDisk.mount(t, 12 * MIB, 8 * MIB);
  if (disk === null) return t.skip('no small disk here');
  const program = await startOn(t, disk);
  const { client } = await RawClient.connect(t, program.url, 5, persistent(5));
  // What a large one leaves free is filled by smaller ones: until nothing fits.
  for (const bytes of [60_000, 6_000, 600, 1]) {
    const will = { topic: 'will', payload: Buffer.alloc(bytes), qos: 1 as const, retain: false };
    let code: number | undefined = 0;
    for (let count = 0; code === 0; count += 1) {
      assert.ok(count < 200, 'sessions go on fitting');
      const one = await RawClient.connect(t, program.url, 5, { ...persistent(5), will });
      code = one.connack.reasonCode;
    }
    assert.equal(code, QUOTA_EXCEEDED);
  }
  client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'a', qos: 1 }] });
  client.send({ cmd: 'publish', messageId: 2, topic: 'a', payload: 'x', qos: 1, dup: false, retain: false });
  const puback = await client.next('puback');
  assert.equal(puback.reasonCode, QUOTA_EXCEEDED);
  disk.dropBallast();
  assert.deepEqual((await client.next('suback')).granted, [1]);
});

test('a disk that others fill to the last byte: the same, out of what the data file already has', async (t) => {
  const disk = SmallDisk.mount(t, 12 * MIB, 0);
  if (disk === null) return t.skip('no small disk here');
  const program = await startOn(t, disk);
  const absent = persistentOptions(5, unique('absent'));
  const offline = await StockClient.connect(t, program.url, 5, absent);
  await offline.subscribe('fill/#', { qos: 1 });
  await offline.disconnect();
  const client = await StockClient.connect(t, program.url, 5);
  await client.publish('fill/0', 'first', { qos: 1 });
  disk.addBallast(12 * MIB);
  assert.equal(disk.freeBytes, 0);
  const publisher = new Publisher(client, 0);
  await publisher.fill();
  await program.kill();
  assert.doesNotMatch(program.stderr, /Write error|do_write error/, 'LMDB met the full disk');
  disk.dropBallast();
  await program.start();
  const resumed = await StockClient.connect(t, program.url, 5, absent);
  await arrived(resumed, new Set(['first', ...publisher.acknowledged]));
});

test('on a disk without room the program says so, leaves what is there alone, and starts when there is some', async (t) => {
  const disk = SmallDisk.mount(t, 12 * MIB, 12 * MIB);
  if (disk === null) return t.skip('no small disk here');
  const directory = join(disk.directory, 'data');
  const settings = { PULSEGATE_LOG: `embedded:${directory}`, PULSEGATE_STORE: `embedded:${directory}` };
  const fresh = await runProgram(settings);
  assert.equal(fresh.code, 1);
  assert.match(fresh.stderr, /data cannot be used: .*no space left/i);
  assert.deepEqual(readdirSync(directory), []);
  disk.dropBallast();
  const program = await startOn(t, disk);
  await (await StockClient.connect(t, program.url, 5)).publish('kept', 'here', { qos: 1, retain: true });
  await program.stop();
  disk.addBallast(12 * MIB);
  const data = readFileSync(join(directory, 'data.mdb'));
  const again = await runProgram(settings);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /data cannot be used: .*no space left/i);
  assert.ok(readFileSync(join(directory, 'data.mdb')).equals(data));
  disk.dropBallast();
  await program.start();
  const reader = await StockClient.connect(t, program.url, 5);
  await reader.subscribe('kept');
  assert.equal((await reader.messages.take('what is retained')).payload, 'here');
});

function startOn(t: TestContext, disk: SmallDisk): Promise<Program> {
  const data = `embedded:${join(disk.directory, 'data')}`;
  return Program.start(t, { PULSEGATE_LOG: data, PULSEGATE_STORE: data });
}

/** Several publications under way at a time, until one is refused. */
class Publisher {
  acknowledged: string[] = [];
  #count = 0;

  constructor(
    private readonly client: StockClient,
    private readonly number: number,
  ) {}

  async fill(): Promise<void> {
    const deadline = Date.now() + FILL_DEADLINE_MS;
    let isFull = false;
    const lane = async (): Promise<void> => {
      while (!isFull) {
        assert.ok(Date.now() < deadline, 'the disk does not fill');
        const name = `${this.number}-${this.#count++}`;
        const code = await refusal(this.client.publish(`fill/${this.number}`, name.padEnd(1_000), { qos: 1 }));
        if (code === undefined) this.acknowledged.push(name);
        else assert.equal(code, QUOTA_EXCEEDED);
        isFull ||= code !== undefined;
      }
    };
    await Promise.all(Array.from({ length: 20 }, lane));
  }

  forget(): void {
    this.acknowledged = [];
  }
}

/** Waits until all of them have come, and nothing else that was published to fill the disk. */
async function arrived(client: StockClient, acknowledged: ReadonlySet<string>): Promise<void> {
  const names = (all: readonly { topic: string; payload: string }[]) =>
    new Set(all.filter(({ topic }) => topic.startsWith('fill/')).map(({ payload }) => payload.trimEnd()));
  const all = await client.messages.until(
    `${acknowledged.size} acknowledged`,
    (messages) => names(messages).size >= acknowledged.size,
    FILL_DEADLINE_MS,
  );
  assert.deepEqual([...names(all)].sort(), [...acknowledged].sort());
}

async function refusal(published: Promise<void>): Promise<number | undefined> {
  return published.then(
    () => undefined,
    (error: { code?: number; message: string }) => error.code ?? assert.fail(error.message),
  );
}

/** More than any reserve that publications leave alone. */
function large(): Buffer {
  return Buffer.alloc(3 * MIB);
}
