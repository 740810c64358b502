import type { Clock } from '../ports/clock.js';
import { PortError } from '../ports/errors.js';
import type { Telemetry } from '../ports/telemetry.js';
import type { Backing } from './backing.js';

export interface BringingUp {
  /** Resolves when all is up, or has not come up at first; rejects on what waiting cannot mend. */
  tried: Promise<void>;
  /** Resolves, with the reason, when it will not come up. */
  failed: Promise<unknown>;
  /** What is amiss now; null: nothing. */
  problem: () => string | null;
  stop(): void;
  /** Resolves when nothing is tried any more. */
  stopped: Promise<void>;
}

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 15_000;
/**
 * Without an answer of log and store for so long, clients are told so. Not before: MQTT.js does not come back by itself after any
 * CONNACK that refuses it, so who has only to wait for sessions to be loaded finds the port closed, and tries again.
 */
const FIRST_TRY_MAX_MS = 5_000;
const CHECK_EVERY_MS = 5_000;

/** Waits for log and store with growing pauses, starts the worker, and from then on looks whether both still answer. */
export function bringUp(parts: {
  clock: Clock;
  telemetry: Telemetry;
  backing: Pick<Backing, 'prepare' | 'check'>;
  startWorker: () => Promise<void>;
}): BringingUp {
  const { clock, telemetry, backing, startWorker } = parts;
  let problem: string | null = 'starting';
  let isStopping = false;
  let wake = () => {};
  let triedOnce: () => void = () => {};
  let giveUp: () => void = () => {};
  /** What does not answer is not waited for at the end. */
  const stopping = new Promise<void>((resolve) => {
    giveUp = resolve;
  });
  const firstTry = new Promise<void>((resolve) => {
    triedOnce = resolve;
  });
  const pause = (ms: number) =>
    new Promise<void>((resume) => {
      const cancel = clock.after(ms, resume);
      wake = () => {
        cancel();
        resume();
      };
    });

  const cancelFirstTry = clock.after(FIRST_TRY_MAX_MS, triedOnce);
  const up = climb();
  const tried = Promise.race([up, firstTry]);
  const stopped = up.then(watch, () => {});
  const failed = new Promise<unknown>((resolve) => {
    up.catch(resolve);
  });
  const stop = () => {
    isStopping = true;
    problem = 'stopping';
    giveUp();
    wake();
  };
  return { tried, failed, problem: () => problem, stop, stopped };

  async function climb(): Promise<void> {
    for (let delayMs = FIRST_DELAY_MS; !isStopping; delayMs = Math.min(delayMs * 2, LONGEST_DELAY_MS)) {
      try {
        await Promise.race([backing.prepare(), stopping]);
        if (isStopping) return;
        cancelFirstTry();
        await startWorker();
        say(null);
        return;
      } catch (error) {
        if (!mayPass(error)) throw error;
        say((error as Error).message);
        telemetry.log('warn', 'waiting', { againInMs: delayMs, error: (error as Error).message });
        triedOnce();
      }
      await pause(delayMs);
    }
  }

  async function watch(): Promise<void> {
    while (!isStopping) {
      await pause(CHECK_EVERY_MS);
      if (isStopping) return;
      const found = await Promise.race([backing.check(), stopping]).then(
        () => null,
        (error: unknown) => (error as Error).message,
      );
      if (isStopping) return;
      if (found !== null && problem === null) telemetry.log('warn', 'not-ready', { error: found });
      if (found === null && problem !== null) telemetry.log('info', 'ready-again', {});
      say(found);
    }
  }

  function say(found: string | null): void {
    if (!isStopping) problem = found;
  }
}

function mayPass(error: unknown): boolean {
  return error instanceof PortError && (error.retriable || error.code === 'gone');
}
