import type { Clock } from '../ports/clock.js';
import type { SessionCommand } from '../ports/session-commands.js';
import type { Telemetry } from '../ports/telemetry.js';
import type { Presence } from './presence.js';
import { retry } from './retry.js';

/** Says that a connection is over where its edge will not: the row first, then the shard. Never rejects. */
export async function sayLost(
  parts: { clock: Clock; telemetry: Telemetry; presence: Presence; tell: (command: SessionCommand) => void },
  clientId: string,
  connectionNumber: number,
): Promise<void> {
  const { clock, presence, telemetry } = parts;
  const atMs = clock.now();
  try {
    const left = await retry('leave', parts, () => presence.lose(clientId, connectionNumber, atMs));
    if (left === null) return;
    const { sessionExpiryS } = left;
    // Its edge may have said it, and not lived to tell.
    const leftAtMs = left.disconnectedAtMs ?? atMs;
    const will = left.will === null ? 'discard' : 'publish';
    const command = { clientId, connectionNumber, atMs: leftAtMs, sessionExpiryS, will } as const;
    parts.tell({ type: 'disconnected', ...command });
  } catch (error) {
    telemetry.log('error', 'leave-failed', { client: clientId, error: String(error) });
  }
}
