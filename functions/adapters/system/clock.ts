import { randomBytes } from 'node:crypto';
import type { Clock } from '../../ports/clock.js';

/** 128 bits, 22 characters of base64url. */
const UNIQUE_BYTES = 16;
/** The longest that Node's timers take; it reads anything longer as 1 ms. */
const TIMER_MAX_MS = 2_147_483_647;

/** The machine's clock. Its timers do not keep the process alive: sockets and the log do. */
export const systemClock: Clock = clockWith((timer) => timer.unref());

/** The same for a function, which may wait for nothing but a timer, and would end without it. */
export const functionClock: Clock = clockWith((timer) => timer);

function clockWith(begun: (timer: NodeJS.Timeout) => NodeJS.Timeout): Clock {
  return {
    now: () => Date.now(),
    after(ms, run) {
      let timer: NodeJS.Timeout;
      const wait = (leftMs: number): void => {
        const stepMs = Math.min(leftMs, TIMER_MAX_MS);
        timer = begun(setTimeout(() => (leftMs > stepMs ? wait(leftMs - stepMs) : run()), stepMs));
      };
      wait(ms);
      return () => clearTimeout(timer);
    },
    unique: () => randomBytes(UNIQUE_BYTES).toString('base64url'),
  };
}
