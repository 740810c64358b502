import { sessionEndMs } from '../mqtt/expiry.js';
import type { PresenceRow, WaitingWill } from '../ports/store.js';
import type { Claim } from './effects.js';

export interface ClaimedRow {
  row: PresenceRow;
  sessionPresent: boolean;
}

/**
 * The presence row that a CONNECT leaves behind, from the one it finds. Pure: the driver compares and sets until it wins.
 *
 * Connection numbers never repeat, not even after the row was deleted, because a first one is drawn from the clock.
 * A will that waits for its delay is cancelled by resuming the session in time [MQTT-3.1.3-9]; one that is due, or whose
 * session ends here, is left in `leftWills` to be published.
 */
export function claimPresence(previous: PresenceRow | null, claim: Claim, edge: string, now: number): ClaimedRow {
  const connectionNumber = Math.max((previous?.connectionNumber ?? 0) + 1, now);
  const sessionPresent = previous !== null && !claim.cleanStart && canResume(previous, now);
  const leftWills = previous === null ? [] : [...previous.leftWills];
  if (previous?.will) {
    const isDue = now >= willDueMs(previous, previous.will, now);
    if (!sessionPresent || isDue) leftWills.push(previous.will);
  }
  return {
    row: {
      clientId: claim.clientId,
      connectionNumber,
      generation: sessionPresent ? previous.generation : connectionNumber,
      edge,
      disconnectedAtMs: null,
      sessionExpiryS: claim.sessionExpiryS,
      will: claim.will && { ...claim.will, connectionNumber },
      leftWills,
    },
    sessionPresent,
  };
}

/** Whether the row's session may be resumed. One that ends with its connection ends when that is taken over, too. */
function canResume(row: PresenceRow, now: number): boolean {
  if (row.sessionExpiryS === 0) return false;
  return row.disconnectedAtMs === null || now < sessionEndMs(row.disconnectedAtMs, row.sessionExpiryS);
}

/** A will is due after its delay or with the end of its session, whichever comes first (section 3.1.3.2.2). */
export function willDueMs(row: PresenceRow, will: WaitingWill, now: number): number {
  const leftAtMs = row.disconnectedAtMs ?? now;
  return Math.min(leftAtMs + will.delayS * 1000, sessionEndMs(leftAtMs, row.sessionExpiryS));
}
