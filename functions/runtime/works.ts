import type { Clock } from '../ports/clock.js';
import { type PortError, portErrorCode } from '../ports/errors.js';
import type { Telemetry } from '../ports/telemetry.js';
import { retry } from './retry.js';
import type { Sure } from './sure.js';

interface Parts {
  clock: Clock;
  telemetry: Telemetry;
  /** Before each try. */
  sure?: Sure;
}

/**
 * What is under way, each with retries. Whoever waits for one would wait for ever without an outcome, so what is refused is
 * repeated too: credentials are renewed, and rights come back.
 */
export class Works {
  readonly #parts: Parts;
  readonly #working = new Set<Promise<void>>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Runs something with retries and remembers that it is under way. Never rejects. */
  begin(what: string, run: () => Promise<void>): Promise<void> {
    const { sure } = this.#parts;
    const runIfSure = async () => {
      await sure?.();
      await run();
    };
    const work: Promise<void> = retry(what, this.#parts, sure ? runIfSure : run, mayPass)
      .catch((error: unknown) => {
        // Another owner has the shard by now, and does it.
        const level = portErrorCode(error) === 'conflict' ? 'warn' : 'error';
        this.#parts.telemetry.log(level, 'effect-failed', { what, error: String(error) });
      })
      .finally(() => this.#working.delete(work));
    this.#working.add(work);
    return work;
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    while (this.#working.size > 0) await Promise.allSettled(this.#working);
  }

  /** Resolves when all that `run` has set going is done. */
  async done(run: () => void): Promise<void> {
    const before = new Set(this.#working);
    run();
    await Promise.allSettled([...this.#working].filter((work) => !before.has(work)));
  }
}

function mayPass({ code, retriable }: PortError): boolean {
  return code === 'refused' || (retriable && code !== 'conflict');
}
