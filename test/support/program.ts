import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { ApiGatewayDouble } from '../doubles/api-gateway.js';
import { backingSettings } from './backing.js';
import { startGatewayEdge } from './behind-gateway.js';
import { BACKING } from './patience.js';
import { Inbox, type Scope, within } from './waiting.js';

const READY = /\bws:\/\/127\.0\.0\.1:\d+\/mqtt\b/;
const START_DEADLINE_MS = 10_000;
const END_DEADLINE_MS = 15_000;

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** One line of the log, as the program writes it where standard error is no terminal. */
export interface LogLine {
  level: string;
  event: string;
  client?: string;
  [field: string]: unknown;
}

export interface Outcome extends Exit {
  stdout: string;
  stderr: string;
}

/**
 * The built program in a process of its own, on a free port and a data directory of its own. It can be killed and started
 * again on the same port and data. When the scope ends, or this process does, it is gone, and so is its data.
 */
export class Program {
  readonly directory = mkdtempSync(join(tmpdir(), 'pulsegate-'));
  readonly log = new Inbox<LogLine>();
  /** All of standard error, over all its lives. */
  stderr = '';
  readonly #settings: Readonly<Record<string, string>>;
  /** Where clients go; null: to the program itself. */
  readonly #gateway: ApiGatewayDouble | null;
  #child: ChildProcess | undefined;
  #exited: Promise<Exit> | undefined;
  #url = '';

  private constructor(settings: Readonly<Record<string, string>>, gateway: ApiGatewayDouble | null) {
    this.#settings = settings;
    this.#gateway = gateway;
    directories.add(this.directory);
  }

  static async start(scope: Scope, settings: Readonly<Record<string, string>> = {}): Promise<Program> {
    const all = { ...(await backingSettings()), ...settings };
    // Functions that are invoked twice are test/gateway's: they may take QoS 1 twice, at any time.
    const isBehind = BACKING === 'gateway' && !('PULSEGATE_GATEWAY' in all);
    const edge = isBehind ? await startGatewayEdge(scope, all) : null;
    const program = new Program(edge?.settings ?? all, edge?.gateway ?? null);
    scope.after(() => program.#dispose());
    await program.start();
    return program;
  }

  get url(): string {
    return this.#gateway?.url ?? this.#url;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.#child?.exitCode === null && this.#child.signalCode === null;
  }

  /** Resolves when clients may come. The first start picks the port, later ones take the same. */
  async start(): Promise<void> {
    const child = launch({
      PULSEGATE_LISTEN: this.#url === '' ? 'ws://127.0.0.1:0/mqtt' : this.#url,
      PULSEGATE_LOG: `embedded:${this.directory}`,
      PULSEGATE_STORE: `embedded:${this.directory}`,
      ...this.#settings,
    });
    this.#child = child;
    const exited = exitOf(child);
    this.#exited = exited;
    createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', (line) => this.#logged(line));
    const ready = new Promise<string>((found) => {
      createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
        const url = READY.exec(line)?.[0];
        if (url !== undefined) found(url);
      });
    });
    const failed = exited.then(({ code }): never => {
      throw new Error(`the program ended with ${code} before it was ready:\n${this.stderr}`);
    });
    failed.catch(() => {});
    this.#url = await within('the program is ready', Promise.race([ready, failed]), START_DEADLINE_MS);
  }

  /** As by a power cut, except that the page cache stays. */
  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.exited();
  }

  async stop(): Promise<Exit> {
    this.#child?.kill('SIGTERM');
    return this.exited();
  }

  exited(): Promise<Exit> {
    return within('the program ends', this.#exited ?? Promise.reject(new Error('never started')), END_DEADLINE_MS);
  }

  #logged(line: string): void {
    this.stderr += `${line}\n`;
    if (line.startsWith('{')) this.log.add(JSON.parse(line) as LogLine);
  }

  async #dispose(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#exited?.catch(() => {});
    rmSync(this.directory, { recursive: true, force: true });
    directories.delete(this.directory);
  }
}

/** Runs the program to its end, for when it should not start or only says something. */
export async function runProgram(settings: Readonly<Record<string, string>>, args: string[] = []): Promise<Outcome> {
  const child = launch(settings, args);
  const outcome = { stdout: '', stderr: '' };
  child.stdout?.on('data', (bytes) => {
    outcome.stdout += bytes;
  });
  child.stderr?.on('data', (bytes) => {
    outcome.stderr += bytes;
  });
  try {
    return { ...(await within('the program ends', exitOf(child), END_DEADLINE_MS)), ...outcome };
  } finally {
    child.kill('SIGKILL');
  }
}

/** As `npm start` has them. */
const NODE_OPTIONS =
  readFileSync('package.json', 'utf8')
    .match(/"start": "node (.*) dist\/pulsegate\.js"/)?.[1]
    ?.split(' ') ?? [];

const children = new Set<ChildProcess>();
const directories = new Set<string>();

function launch(settings: Readonly<Record<string, string>>, args: string[] = []): ChildProcess {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('PULSEGATE_'));
  const child = spawn(
    process.execPath,
    ['--enable-source-maps', ...NODE_OPTIONS, resolve('dist/pulsegate.js'), ...args],
    {
      env: { ...Object.fromEntries(inherited), ...settings },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

/** Resolves when all that it wrote has been read as well. */
async function exitOf(child: ChildProcess): Promise<Exit> {
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { code, signal };
}

// The test runner ends a file that takes too long with SIGTERM: no hook runs then.
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});
process.once('SIGTERM', () => process.exit(143));
process.once('SIGINT', () => process.exit(130));
