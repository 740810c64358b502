import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { Inbox, type Scope, within } from '../support/waiting.js';

/** A program takes seconds to begin, and several do at once. */
export const BEGIN_DEADLINE_MS = 10_000;
const BLOCK = /^```\w+ (\S+)\n(.*?)^```$/gms;
const JAVA_OPTIONS = '-Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1';

/** The worked example of `docs/PULSAR.md`: its blocks with a name behind the language, run as whoever reads it would. */
export class ExamplePage {
  /** Where the reader saves its files; packages are found from there. */
  readonly #directory = mkdtempSync(join(tmpdir(), 'pulsegate-example-'));
  readonly #blocks: ReadonlyMap<string, string>;
  readonly #unused: Set<string>;
  readonly #replaced = new Map<string, string>();
  readonly #groups = new Set<number>();
  #pulsar: Record<string, string> = {};

  constructor(scope: Scope) {
    const [, example = ''] = /^## A worked example\n(.*?)^## /ms.exec(readFileSync('docs/PULSAR.md', 'utf8')) ?? [];
    this.#blocks = new Map([...example.matchAll(BLOCK)].map(([, name = '', text = '']) => [name, text]));
    this.#unused = new Set(this.#blocks.keys());
    symlinkSync(resolve('node_modules'), join(this.#directory, 'node_modules'));
    const end = () => {
      for (const group of this.#groups) endGroup(group);
      rmSync(this.#directory, { recursive: true, force: true });
    };
    process.once('exit', end);
    scope.after(async () => end());
  }

  /** Names of the blocks that nothing was done with. */
  get unused(): string[] {
    return [...this.#unused];
  }

  /** What the page has for an address or a name that is another here. */
  replace(text: string, by: string): void {
    this.#replaced.set(text, by);
  }

  block(name: string): string {
    const text = this.#blocks.get(name);
    if (text === undefined) throw new Error(`docs/PULSAR.md has no block ${name} in its worked example`);
    this.#unused.delete(name);
    return [...this.#replaced].reduce((found, [old, by]) => found.replaceAll(old, by), text);
  }

  lines(name: string): string[] {
    return this.block(name).trimEnd().split('\n');
  }

  save(name: string): void {
    writeFileSync(join(this.#directory, name), this.block(name));
  }

  /** Finds Pulsar's distribution by the page's own line. A text says why there is none. */
  findPulsar(): string | null {
    const { found, stderr } = environment(`${this.block('home')}env -0`, 'PULSAR_');
    this.#pulsar = found;
    return found.PULSAR_HOME === '' ? stderr.trim() : null;
  }

  /** The settings that `npm start` would have. */
  settings(name: string): Record<string, string> {
    return environment(`npm() { [ "$*" = start ] && env -0; }\n${this.block(name)}`, 'PULSEGATE_').found;
  }

  run(name: string): ExampleProcess {
    const child = spawn('bash', ['-ec', this.block(name)], {
      cwd: this.#directory,
      detached: true,
      env: {
        ...process.env,
        ...this.#pulsar,
        PULSAR_LOG_DIR: this.#directory,
        JAVA_TOOL_OPTIONS: JAVA_OPTIONS,
      },
    });
    const { pid } = child;
    if (pid !== undefined) {
      this.#groups.add(pid);
      child.once('exit', () => this.#groups.delete(pid));
    }
    return new ExampleProcess(name, child);
  }
}

export class ExampleProcess {
  /** Of its standard output. */
  readonly lines = new Inbox<string>();
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #errors = '';
  #isOver = false;

  constructor(name: string, child: ChildProcess) {
    this.#name = name;
    this.#child = child;
    this.#ended = once(child, 'close').then(() => {
      this.#isOver = true;
      this.lines.add('');
    });
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => this.lines.add(line));
    child.stderr?.on('data', (bytes) => {
      this.#errors += bytes;
    });
  }

  type(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  /** Resolves when there are so many lines with this text. */
  async prints(text: string, count = 1): Promise<void> {
    const isThere = () => this.lines.all.filter((line) => line.includes(text)).length >= count;
    await this.lines
      .until(text, () => isThere() || this.#isOver, BEGIN_DEADLINE_MS)
      .catch((error: Error) => Promise.reject(this.#problem(error.message)));
    if (!isThere()) throw this.#problem(`ended without ${text}`);
  }

  /** Resolves when it is through, and all was well. */
  async through(): Promise<void> {
    await within(`${this.#name} is through`, this.#ended, BEGIN_DEADLINE_MS);
    if (this.#child.exitCode !== 0) throw this.#problem(`ended with ${this.#child.exitCode}`);
  }

  async stop(): Promise<void> {
    if (!this.#isOver) endGroup(this.#child.pid as number);
    await this.#ended;
  }

  #problem(what: string): Error {
    const written = [...this.lines.all, this.#errors].join('\n');
    return new Error(`${this.#name}: ${what}; it had written:\n${written}`);
  }
}

/** What a script that ends with `env -0` has set. */
function environment(script: string, prefix: string): { found: Record<string, string>; stderr: string } {
  const { stdout, stderr } = spawnSync('bash', ['-ec', script], { encoding: 'utf8' });
  const all = stdout.split('\0').map((line) => /^(\w+)=(.*)$/s.exec(line)?.slice(1) ?? []);
  return { found: Object.fromEntries(all.filter(([name]) => name?.startsWith(prefix))), stderr };
}

function endGroup(group: number): void {
  try {
    process.kill(-group, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
