import { type ChildProcess, fork } from 'node:child_process';
import { resolve } from 'node:path';
import type { GatewayEvent, GatewayResult } from '../../functions/handlers/gateway-event.js';

interface Sandbox {
  child: ChildProcess;
  /** null: it is free. */
  waiting: { resolve: (result: GatewayResult) => void; reject: (error: Error) => void } | null;
}

/** Of one function, so that this machine is not full of them: what is more waits. */
const SANDBOXES_MAX = 6;

/**
 * Lambda, as far as a function can tell: sandboxes are processes that deal with one event at a time, are made where none is
 * free, and know nothing of each other. With `forgets`, each deals with one event only.
 */
export class LambdaDouble {
  readonly #handler: string;
  readonly #env: Record<string, string>;
  readonly #forgets: boolean;
  readonly #sandboxes = new Set<Sandbox>();
  readonly #queue: ((sandbox: Sandbox | null) => void)[] = [];
  #isStopped = false;

  constructor(options: { name: string; env: Readonly<Record<string, string>>; forgets?: boolean }) {
    this.#handler = resolve('dist/functions', options.name, 'index.cjs');
    this.#env = { ...(process.env as Record<string, string>), ...options.env };
    this.#forgets = options.forgets ?? false;
  }

  async invoke(event: GatewayEvent): Promise<GatewayResult> {
    const sandbox = await this.#free();
    if (sandbox === null) throw new Error('there is no such function');
    try {
      return await new Promise<GatewayResult>((resolve, reject) => {
        sandbox.waiting = { resolve, reject };
        sandbox.child.send({ id: 1, event }, (error) => error && reject(error));
      });
    } finally {
      sandbox.waiting = null;
      if (this.#forgets) this.#end(sandbox);
      this.#next();
    }
  }

  /** As by a time-out or a lack of memory: whoever is dealt with is not answered. */
  killAll(): void {
    for (const sandbox of this.#sandboxes) sandbox.child.kill('SIGKILL');
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const sandbox of this.#sandboxes) this.#end(sandbox);
    this.#next();
  }

  /** The next that is; null: there are none any more. */
  #free(): Promise<Sandbox | null> {
    return new Promise((resolve) => {
      this.#queue.push(resolve);
      this.#next();
    });
  }

  #next(): void {
    if (this.#isStopped) for (const gone of this.#queue.splice(0)) gone(null);
    while (this.#queue.length > 0) {
      const idle = [...this.#sandboxes].find(({ waiting }) => waiting === null);
      if (idle === undefined && this.#sandboxes.size >= SANDBOXES_MAX) return;
      const sandbox = idle ?? this.#start();
      sandbox.waiting = { resolve: () => {}, reject: () => {} };
      this.#queue.shift()?.(sandbox);
    }
  }

  #start(): Sandbox {
    const child = fork(resolve('test/doubles/sandbox.cjs'), [this.#handler], {
      env: this.#env,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const sandbox: Sandbox = { child, waiting: null };
    child.on('message', ({ result, error }: { result?: GatewayResult; error?: string }) => {
      if (result !== undefined) sandbox.waiting?.resolve(result);
      else sandbox.waiting?.reject(new Error(error));
    });
    child.on('exit', () => {
      this.#sandboxes.delete(sandbox);
      sandbox.waiting?.reject(new Error('the sandbox is gone'));
      this.#next();
    });
    this.#sandboxes.add(sandbox);
    return sandbox;
  }

  #end(sandbox: Sandbox): void {
    this.#sandboxes.delete(sandbox);
    if (sandbox.child.connected) sandbox.child.disconnect();
  }
}
