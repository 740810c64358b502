import type { Clock } from '../ports/clock.js';
import { PortError } from '../ports/errors.js';
import type { Telemetry } from '../ports/telemetry.js';

const FIRST_DELAY_MS = 50;
const LONGEST_DELAY_MS = 5_000;
/** A call that has failed this long is worth a line in the log. */
const SAID_DELAY_MS = 1_600;

/**
 * Repeats a call until it succeeds, waiting longer each time; gives up, rejecting, on an error that repeating cannot mend, as
 * `mayPass` says of those of a port.
 */
export async function retry<T>(
  what: string,
  parts: { clock: Clock; telemetry: Telemetry },
  call: () => Promise<T>,
  mayPass = ({ retriable, code }: PortError): boolean => retriable && code !== 'conflict',
): Promise<T> {
  for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(delayMs * 2, LONGEST_DELAY_MS)) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof PortError) || !mayPass(error)) throw error;
      parts.telemetry.count('retries');
      // One line for a call that goes on failing, not one for each try.
      if (delayMs === SAID_DELAY_MS)
        parts.telemetry.log('warn', 'retrying', { what, code: error.code, error: error.message });
      await new Promise<void>((resume) => parts.clock.after(delayMs, resume));
    }
  }
}
