import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { bePatient } from './patience.js';
import { freePort } from './ports.js';
import type { Pulsar } from './pulsar.js';
import type { Scope } from './waiting.js';

bePatient();

/** Downloading included. */
const START_DEADLINE_MS = 600_000;
const RESTART_DEADLINE_MS = 120_000;
const LOOK_EVERY_MS = 50;

interface State extends Pulsar {
  keeper: number;
  group: number;
  problem?: string;
}

/** A Pulsar that one test file has for itself, to kill it and to start it again on the same data and ports. */
export class OwnPulsar implements Pulsar {
  readonly web: string;
  readonly broker: string;
  readonly #directory = mkdtempSync(join(tmpdir(), 'pulsegate-own-'));
  readonly #stateFile = join(this.#directory, 'state.json');
  readonly #settings: Readonly<Record<string, string>>;
  #keeper: ChildProcess | undefined;
  #state: State | undefined;

  /** Its ports are known before it runs. `settings` go into standalone.conf. */
  static async prepare(scope: Scope, settings: Readonly<Record<string, string>> = {}): Promise<OwnPulsar> {
    const ports = { brokerServicePort: String(await freePort()), webServicePort: String(await freePort()) };
    const own = new OwnPulsar({ ...ports, ...settings });
    scope.after(() => own.#dispose());
    return own;
  }

  private constructor(settings: Readonly<Record<string, string>>) {
    this.web = `http://127.0.0.1:${settings.webServicePort}`;
    this.broker = `pulsar://127.0.0.1:${settings.brokerServicePort}`;
    this.#settings = settings;
  }

  /** Resolves when it answers; a text says why there is none here. */
  async start(): Promise<string | null> {
    const settings = Object.entries(this.#settings).map(([name, value]) => `${name}=${value}`);
    const args = [resolve('infra/pulsar-keeper.mjs'), this.#stateFile, String(process.pid), ...settings];
    this.#keeper = spawn(process.execPath, args, { stdio: 'ignore' });
    return this.#answers(START_DEADLINE_MS);
  }

  /** As when the machine's memory runs out: nothing is finished, and nobody is told. */
  async kill(): Promise<void> {
    const { group } = this.#running();
    process.kill(-group, 'SIGKILL');
    while (isThere(group)) await soon();
  }

  /** After `kill`. */
  async startAgain(): Promise<void> {
    const { keeper } = this.#running();
    rmSync(this.#stateFile);
    process.kill(keeper, 'SIGUSR2');
    const problem = await this.#answers(RESTART_DEADLINE_MS);
    if (problem !== null) throw new Error(problem);
  }

  async #answers(deadlineMs: number): Promise<string | null> {
    const deadline = Date.now() + deadlineMs;
    while (!existsSync(this.#stateFile)) {
      if (Date.now() > deadline) throw new Error(`no Pulsar within ${deadlineMs} ms`);
      await soon();
    }
    this.#state = JSON.parse(readFileSync(this.#stateFile, 'utf8')) as State;
    return this.#state.problem ?? null;
  }

  #running(): State {
    if (this.#state === undefined) throw new Error('it was never started');
    return this.#state;
  }

  async #dispose(): Promise<void> {
    const keeper = this.#keeper;
    if (keeper !== undefined && keeper.exitCode === null) {
      const ended = new Promise((resolve) => keeper.once('exit', resolve));
      keeper.kill('SIGTERM');
      await ended;
    }
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

function isThere(group: number): boolean {
  try {
    process.kill(-group, 0);
    return true;
  } catch {
    return false;
  }
}

function soon(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
}
