import { type ChildProcess, fork } from 'node:child_process';
import { resolve } from 'node:path';
import type { GatewayEvent, GatewayResult } from '../../functions/handlers/gateway-event.js';

interface Sandbox {
  child: ChildProcess;
  /** null: it is free. */
  waiting: { resolve: (result: GatewayResult) => void; reject: (error: Error) => void } | null;
  isGone: boolean;
}

/**
 * Lambda, as far as a function can tell: sandboxes are processes that deal with one event at a time, are made where none is
 * free, and know nothing of each other. With `forgets`, each deals with one event only.
 */
export class LambdaDouble {
  readonly #handler: string;
  readonly #env: Record<string, string>;
  readonly #forgets: boolean;
  readonly #sandboxes: Sandbox[] = [];
  #isStopped = false;

  constructor(options: { name: string; env: Readonly<Record<string, string>>; forgets?: boolean }) {
    this.#handler = resolve('dist/functions', options.name, 'index.cjs');
    this.#env = { ...(process.env as Record<string, string>), ...options.env };
    this.#forgets = options.forgets ?? false;
  }

  get sandboxes(): number {
    return this.#sandboxes.filter(({ isGone }) => !isGone).length;
  }

  invoke(event: GatewayEvent): Promise<GatewayResult> {
    if (this.#isStopped) return Promise.reject(new Error('there is no such function'));
    const sandbox = this.#sandboxes.find(({ waiting, isGone }) => waiting === null && !isGone) ?? this.#start();
    return new Promise<GatewayResult>((resolve, reject) => {
      sandbox.waiting = { resolve, reject };
      sandbox.child.send({ id: 1, event });
    }).finally(() => {
      sandbox.waiting = null;
      if (this.#forgets) this.#end(sandbox);
    });
  }

  /** As by a time-out or a lack of memory: whoever is dealt with is not answered. */
  killAll(): void {
    for (const sandbox of this.#sandboxes) sandbox.child.kill('SIGKILL');
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const sandbox of this.#sandboxes) this.#end(sandbox);
  }

  #start(): Sandbox {
    const child = fork(resolve('test/doubles/sandbox.cjs'), [this.#handler], {
      env: this.#env,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const sandbox: Sandbox = { child, waiting: null, isGone: false };
    child.on('message', ({ result, error }: { result?: GatewayResult; error?: string }) => {
      if (result !== undefined) sandbox.waiting?.resolve(result);
      else sandbox.waiting?.reject(new Error(error));
    });
    child.on('exit', () => {
      sandbox.isGone = true;
      sandbox.waiting?.reject(new Error('the sandbox is gone'));
    });
    this.#sandboxes.push(sandbox);
    return sandbox;
  }

  #end(sandbox: Sandbox): void {
    sandbox.isGone = true;
    if (sandbox.child.connected) sandbox.child.disconnect();
  }
}
