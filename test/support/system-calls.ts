import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { notRun } from './parts.js';
import { type Scope, within } from './waiting.js';

const TRACED = 'read,write,writev,sendto,sendmsg,pwrite64,pwritev,fdatasync,fsync,msync';
/** Bytes shown of each buffer: the first packet's type is what is asked for. */
const SHOWN_BYTES = 16;
const ATTACH_DEADLINE_MS = 10_000;

/** One call as strace saw it. `begun` and `ended` are places in one order for all threads. */
export interface SystemCall {
  thread: string;
  name: string;
  /** What the file descriptor is: a path, or such as `socket:[1]`. */
  path: string;
  fd: number;
  result: number;
  /** First bytes of the buffer, for calls that have one. */
  bytes: Buffer;
  begun: number;
  ended: number;
}

/** strace on a running process. Null, having said why, where there is none or it may not. */
export class SystemCalls {
  static async attach(scope: Scope, pid: number, directory: string): Promise<SystemCalls | null> {
    if (spawnSync('strace', ['-V']).status !== 0) {
      notRun('fdatasync before the answer', 'there is no strace here');
      return null;
    }
    const file = join(directory, 'strace.txt');
    const options = ['-f', '-y', '-xx', '-s', `${SHOWN_BYTES}`, '-e', `trace=${TRACED}`, '-o', file, '-p', `${pid}`];
    const strace = spawn('strace', options, { stdio: ['ignore', 'ignore', 'pipe'] });
    const exited = once(strace, 'exit');
    scope.after(async () => {
      strace.kill('SIGKILL');
      await exited;
    });
    const said: string[] = [];
    for await (const line of createInterface({ input: strace.stderr })) {
      said.push(line);
      if (/attached/.test(line)) return new SystemCalls(file, () => strace.kill('SIGINT'), exited);
    }
    notRun('fdatasync before the answer', `strace may not trace here: ${said.join(' ')}`);
    return null;
  }

  private constructor(
    private readonly file: string,
    private readonly end: () => void,
    private readonly exited: Promise<unknown>,
  ) {}

  /** Lets the process go; resolves with what it did meanwhile. */
  async stop(): Promise<SystemCall[]> {
    this.end();
    await within('strace ends', this.exited, ATTACH_DEADLINE_MS);
    return parse(readFileSync(this.file, 'latin1').split('\n'));
  }
}

const BEGINS = /^(\d+) +(\w+)\((\d+)<((?:\\x..)*)>(.*)$/;
const RESUMES = /^(\d+) +<\.\.\. (\w+) resumed>(.*)$/;
const RESULT = / = (-?\d+)(?: |$)/;
const BUFFER = /"((?:\\x..)*)"/;

/** Calls that ended. One that another thread's call came into the middle of stands in two lines. */
function parse(lines: readonly string[]): SystemCall[] {
  const calls: SystemCall[] = [];
  const unfinished = new Map<string, Omit<SystemCall, 'result' | 'ended'>>();
  for (const [place, line] of lines.entries()) {
    const [, thread, name, fd, path, rest] = BEGINS.exec(line) ?? [];
    const [, resumedThread, , resumedRest] = RESUMES.exec(line) ?? [];
    const begun =
      thread === undefined
        ? unfinished.get(resumedThread ?? '')
        : { thread, name: name!, fd: Number(fd), path: bytesOf(path!).toString(), bytes: Buffer.of(), begun: place };
    if (begun === undefined) continue;
    const text = rest ?? resumedRest!;
    const shown = BUFFER.exec(text)?.[1];
    if (shown !== undefined) begun.bytes = bytesOf(shown);
    const result = RESULT.exec(text)?.[1];
    if (result === undefined) unfinished.set(begun.thread, begun);
    else calls.push({ ...begun, result: Number(result), ended: place });
  }
  return calls;
}

function bytesOf(text: string): Buffer {
  return Buffer.from(text.replaceAll('\\x', ''), 'hex');
}
