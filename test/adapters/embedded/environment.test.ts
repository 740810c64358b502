import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { open } from 'lmdb';
import type { DataDirectoryErrorCode } from '../../../functions/adapters/embedded/data-directory-error.js';
import { openEmbedded } from '../../../functions/adapters/embedded/embedded.js';
import { notRun } from '../../support/parts.js';

const FORMAT = { format: 'pulsegate', version: 1 };

describe('embedded data directory', () => {
  let scratch: string;
  let child: string;
  const children: Child[] = [];
  let made = 0;
  const directory = (): string => join(scratch, `data-${++made}`);

  before(async () => {
    scratch = mkdtempSync(join(tmpdir(), 'pulsegate-directory-'));
    // Beside this bundle, where packages are found.
    child = fileURLToPath(new URL(`./child-${process.pid}.js`, import.meta.url));
    const source = 'test/adapters/embedded/child.ts';
    await build({
      entryPoints: [source],
      outfile: child,
      bundle: true,
      packages: 'external',
      platform: 'node',
      format: 'esm',
    });
  });
  after(async () => {
    await Promise.all(children.map((each) => each.kill()));
    rmSync(scratch, { recursive: true });
    rmSync(child);
  });

  it('is made for its owner alone', async () => {
    const path = join(directory(), 'nested');
    await (await openEmbedded(path)).close();
    assert.equal(statSync(path).mode & 0o777, 0o700);
    assert.deepEqual(readdirSync(path).sort(), ['data.mdb', 'lock.mdb']);
  });

  it('a second opening in the process that has it is refused, and possible after closing', async () => {
    const path = directory();
    const first = await openEmbedded(path);
    await refused(path, 'in-use', new RegExp(`${path}.*process ${process.pid}`));
    await first.log.append('t', { key: 'k', payload: new Uint8Array(1), properties: {} });
    await first.close();
    await (await openEmbedded(path)).close();
  });

  it('another process is refused, naming directory and holder, until the holder is killed', async () => {
    const path = directory();
    const holder = start('hold', path);
    assert.equal(await holder.line(), 'open');
    await refused(path, 'in-use', new RegExp(`${path}.*process ${holder.process.pid}`));
    await holder.kill();
    await (await openEmbedded(path)).close();
  });

  it('of many that find a dead holder exactly one takes over', async () => {
    const path = directory();
    for (let round = 0; round < 3; round++) {
      const dead = start('hold', path);
      assert.equal(await dead.line(), 'open');
      await dead.kill();
      const starters = Array.from({ length: 6 }, () => start('hold', path));
      const said = await Promise.all(starters.map((starter) => starter.line()));
      assert.deepEqual(said.sort(), ['in-use', 'in-use', 'in-use', 'in-use', 'in-use', 'open']);
      await Promise.all(starters.map((starter) => starter.kill()));
      assert.deepEqual(readdirSync(path).sort(), ['data.mdb', 'lock.mdb', 'pulsegate.lock']);
    }
  });

  it('an heir that died half-way has an heir', async () => {
    const path = directory();
    await (await openEmbedded(path)).close();
    const gone = { pid: 2 ** 22 + 1, started: null };
    writeFileSync(join(path, 'pulsegate.lock'), JSON.stringify({ ...gone, id: 'a0' }));
    writeFileSync(join(path, 'pulsegate.lock.a0'), JSON.stringify({ ...gone, id: 'b0' }));
    const env = await openEmbedded(path);
    assert.equal(JSON.parse(readFileSync(join(path, 'pulsegate.lock'), 'utf8')).pid, process.pid);
    await refused(path, 'in-use', /process/);
    await env.close();
    assert.deepEqual(readdirSync(path).sort(), ['data.mdb', 'lock.mdb']);
  });

  it('a pid that now belongs to another process does not hold it', {
    skip: !existsSync('/proc/self/stat'),
  }, async () => {
    const path = directory();
    await (await openEmbedded(path)).close();
    const reused = { id: 'a0', pid: process.ppid, started: 'another boot:1' };
    writeFileSync(join(path, 'pulsegate.lock'), JSON.stringify(reused));
    await (await openEmbedded(path)).close();
  });

  it('what a killed process had reported as appended is there', async () => {
    const path = directory();
    const appender = start('append', path);
    assert.equal(await appender.line(), 'open');
    const said: string[] = [];
    while (said.length < 5_000) said.push(await appender.line());
    said.push(...(await appender.kill()).filter((line) => /^\d+ [0-9a-f]{16}$/.test(line)));
    const { log, close } = await openEmbedded(path);
    const last = await log.last('t');
    const reader = await log.read('t', 'earliest');
    const there = new Map<string, string>();
    while (!there.has(last!)) {
      for (const { position, record } of await reader.read(1_000)) there.set(position, record.properties.n!);
    }
    const missing = said.filter((line) => there.get(line.split(' ')[1]!) !== line.split(' ')[0]);
    assert.deepEqual(missing, []);
    await close();
  });

  it('a full disk is answered with full, keeps nothing of what failed, and is no more once there is room', async (t) => {
    if (spawnSync('prlimit', ['--version']).status !== 0) {
      notRun('full disk', 'there is no prlimit here');
      return t.skip('there is no prlimit here');
    }
    const path = directory();
    const filler = start('fill', path, true);
    assert.equal(await filler.line(), 'open');
    limitFiles(filler.process.pid!, `${statSync(join(path, 'data.mdb')).size + 2.5 * 1024 * 1024}`);
    const answers = await filler.say('100', '3000000', '3000000', '100');
    assert.deepEqual(answers, ['kept 0', 'full', 'full', 'kept 3']);
    limitFiles(filler.process.pid!, 'unlimited');
    assert.deepEqual(await filler.say('3000000', 'claim'), ['kept 4', 'claimed']);
    limitFiles(filler.process.pid!, `${statSync(join(path, 'data.mdb')).size}`);
    assert.deepEqual(await filler.say('9000000', 'close'), ['full', 'closed']);
    await filler.kill();
    const { log, close } = await openEmbedded(path);
    const entries = await (await log.read('t', 'earliest')).read(10);
    assert.deepEqual(
      entries.map((entry) => entry.record.properties.n),
      ['0', '3', '4'],
    );
    await close();
  });

  it('another database is refused and left alone', async () => {
    const path = directory();
    const foreign = open(path, {});
    await foreign.put('hello', 'world');
    await foreign.close();
    await untouched(path, 'foreign', /not Pulsegate/);
  });

  it('data of a newer version is refused and left alone', async () => {
    const path = directory();
    const newer = open(path, {});
    await newer.put('format', { ...FORMAT, version: 2 });
    await newer.close();
    await untouched(path, 'newer', /version 2/);
  });

  it('a damaged data file is refused and left alone', async () => {
    const path = directory();
    await (await openEmbedded(path)).close();
    const file = join(path, 'data.mdb');
    for (const bytes of [9_000, 5_000, 100]) {
      truncateSync(file, bytes);
      await untouched(path, 'corrupt', /cut off|has 100 bytes/);
    }
    writeFileSync(file, 'x'.repeat(20_000));
    await untouched(path, 'corrupt', /not an LMDB file/);
  });

  it('a file in place of the directory is refused and left alone', async () => {
    const path = directory();
    writeFileSync(path, 'precious');
    await refused(path, 'unusable', new RegExp(path));
    assert.equal(readFileSync(path, 'utf8'), 'precious');
  });

  it('the map grows from as little as it was given', async () => {
    const path = directory();
    const { log, close } = await openEmbedded(path, { mapSize: 256 * 1024 });
    const payload = new Uint8Array(100_000).fill(7);
    for (let i = 0; i < 100; i++) await log.append('t', { key: 'k', payload, properties: {} });
    await close();
    const again = await openEmbedded(path);
    const reader = await again.log.read('t', 'earliest');
    let seen = 0;
    while (seen < 100)
      for (const { record } of await reader.read(10)) seen += Buffer.from(record.payload).equals(payload) ? 1 : NaN;
    assert.equal(seen, 100);
    await again.close();
  });

  function start(command: string, path: string, ignoreFileLimit = false): Child {
    const args = [child, command, path];
    // The signal of the limit kills by default; an ignored one stays ignored in the program that the shell becomes.
    const [program, ...rest] = ignoreFileLimit
      ? ['sh', '-c', 'trap "" XFSZ; exec "$@"', 'sh', process.execPath, ...args]
      : [process.execPath, ...args];
    const started = new Child(spawn(program!, rest));
    children.push(started);
    return started;
  }
});

class Child {
  private readonly lines: AsyncIterator<string>;

  constructor(readonly process: ChildProcessWithoutNullStreams) {
    this.lines = createInterface({ input: process.stdout })[Symbol.asyncIterator]();
    process.stderr.resume();
  }

  async line(): Promise<string> {
    const { value, done } = await this.lines.next();
    return done ? 'ended' : value;
  }

  async say(...lines: string[]): Promise<string[]> {
    const answers: string[] = [];
    for (const line of lines) {
      this.process.stdin.write(`${line}\n`);
      answers.push(await this.line());
    }
    return answers;
  }

  /** Returns what it had still said. */
  async kill(): Promise<string[]> {
    const { exitCode, signalCode } = this.process;
    const exit = exitCode === null && signalCode === null ? once(this.process, 'exit') : undefined;
    this.process.kill('SIGKILL');
    await exit;
    const rest: string[] = [];
    for (let line = await this.line(); line !== 'ended'; line = await this.line()) rest.push(line);
    return rest;
  }
}

function limitFiles(pid: number, bytes: string): void {
  const { status, stderr } = spawnSync('prlimit', [`--pid=${pid}`, `--fsize=${bytes}:`]);
  assert.equal(status, 0, stderr.toString());
}

async function refused(path: string, code: DataDirectoryErrorCode, message: RegExp): Promise<void> {
  await assert.rejects(openEmbedded(path), { name: 'DataDirectoryError', code, message });
}

async function untouched(path: string, code: DataDirectoryErrorCode, message: RegExp): Promise<void> {
  const data = readFileSync(join(path, 'data.mdb'));
  await refused(path, code, message);
  assert.ok(readFileSync(join(path, 'data.mdb')).equals(data));
  assert.equal(existsSync(join(path, 'pulsegate.lock')), false);
}
