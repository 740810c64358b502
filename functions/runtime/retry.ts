import type { Clock } from '../ports/clock.js';
import { PortError, portErrorCode } from '../ports/errors.js';
import type { Telemetry } from '../ports/telemetry.js';

const FIRST_DELAY_MS = 50;
const LONGEST_DELAY_MS = 5_000;

/** Repeats a call until it succeeds, waiting longer each time; gives up, rejecting, on an error that repeating cannot mend. */
export async function retry<T>(
  what: string,
  parts: { clock: Clock; telemetry: Telemetry },
  call: () => Promise<T>,
): Promise<T> {
  for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(delayMs * 2, LONGEST_DELAY_MS)) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof PortError) || !error.retriable || error.code === 'conflict') throw error;
      parts.telemetry.log('warn', 'retrying', { what, code: portErrorCode(error), delayMs, error: error.message });
      await new Promise<void>((resume) => parts.clock.after(delayMs, resume));
    }
  }
}
