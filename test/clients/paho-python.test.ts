import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, type TestContext, test } from 'node:test';
import { notRun } from '../support/parts.js';
import { Program } from '../support/program.js';
import { Inbox } from '../support/waiting.js';
import { type ConnectOptions, clientContract, type ForeignClient, type Message } from './contract.js';

interface Fact {
  type: 'connected' | 'subscribed' | 'published' | 'disconnected' | 'message';
  present?: boolean;
}

/** One Python process, which ends with its standard input, and so with this process. */
class PahoPython implements ForeignClient {
  readonly messages = new Inbox<Message>();
  readonly #facts = new Inbox<Fact>();
  readonly #process: ChildProcess;

  constructor(python: string, url: string) {
    const { hostname, port, pathname } = new URL(url);
    this.#process = spawn(python, ['test/clients/paho_bridge.py', hostname, port, pathname], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    createInterface({ input: this.#process.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      const { type, ...rest } = JSON.parse(line);
      if (type === 'message') this.messages.add(rest as Message);
      else this.#facts.add({ type, ...rest });
    });
  }

  async connect(options: ConnectOptions): Promise<boolean | undefined> {
    return (await this.#tell({ type: 'connect', ...options }, 'connected')).present;
  }

  async subscribe(filter: string, qos: 0 | 1 | 2): Promise<void> {
    await this.#tell({ type: 'subscribe', filter, qos }, 'subscribed');
  }

  async publish(topic: string, payload: string, { qos, retain = false }: { qos: 0 | 1 | 2; retain?: boolean }) {
    await this.#tell({ type: 'publish', topic, payload, qos, retain }, 'published');
  }

  async disconnect(): Promise<void> {
    await this.#tell({ type: 'disconnect' }, 'disconnected');
  }

  async lose(): Promise<void> {
    this.#process.kill('SIGKILL');
  }

  /** Commands are told one at a time, so the next fact is the answer. */
  async #tell(command: object, answer: Fact['type']): Promise<Fact> {
    this.#process.stdin?.write(`${JSON.stringify(command)}\n`);
    const fact = await this.#facts.take(`Paho Python says ${answer}`);
    if (fact.type !== answer) throw new Error(`${answer} was due, and what came is ${JSON.stringify(fact)}`);
    return fact;
  }
}

/** A Python that has the client; where `infra/test-dependencies.sh` puts it, or the system's. */
function findPython(): string | null {
  const home = process.env.PULSEGATE_TEST_PYTHON_HOME ?? join(homedir(), '.cache/pulsegate/python');
  const candidates = [join(home, 'bin/python'), 'python3'].filter((path) => !path.includes('/') || existsSync(path));
  const check = 'import paho.mqtt.client as c; c.CallbackAPIVersion.VERSION2';
  return candidates.find((python) => spawnSync(python, ['-c', check]).status === 0) ?? null;
}

const python = findPython();
if (python === null) {
  notRun('Paho Python', 'there is no Python with paho-mqtt 2; infra/test-dependencies.sh installs it');
  test('Paho Python is not here', () => {});
} else {
  const program = await Program.start({ after });
  clientContract('Paho Python', program, [4, 5], async (context: TestContext, url) => {
    const client = new PahoPython(python, url);
    context.after(() => client.lose());
    return client;
  });
}
