import type { Clock } from '../ports/clock.js';
import { portErrorCode } from '../ports/errors.js';
import type { WaitingWill } from '../ports/store.js';
import type { Telemetry } from '../ports/telemetry.js';
import type { Presence } from './presence.js';
import type { Publisher } from './publisher.js';

export interface WillParts {
  clock: Clock;
  telemetry: Telemetry;
  presence: Presence;
  publisher: Publisher;
}

/**
 * Publishes a will that is due and takes it out of its row, under a token that is the will's alone: one whose append is in
 * doubt is looked for, not repeated. `inDoubtSinceMs`: from when on somebody may have appended it; null: nobody has.
 * One that the log will never take is given up, and said. Rejects as `Log.append` and the store do otherwise; it is in doubt then.
 */
export async function publishWill(
  { clock, telemetry, presence, publisher }: WillParts,
  clientId: string,
  { connectionNumber, publication }: WaitingWill,
  inDoubtSinceMs: number | null,
): Promise<void> {
  const token = `will:${clientId}:${connectionNumber}`;
  const when = inDoubtSinceMs === null ? null : { sinceMs: inDoubtSinceMs, isOwn: false };
  const isOut = when !== null && (await publisher.wasPublished(publication, token, when));
  try {
    if (!isOut) await publisher.publish({ ...publication, token, publishedAtMs: clock.now() });
    telemetry.count('wills-published');
  } catch (error) {
    const code = portErrorCode(error);
    if (code !== 'refused' && code !== 'too-large') throw error;
    telemetry.log('warn', 'will-refused', { client: clientId, topic: publication.topic, error: String(error) });
  }
  await presence.settleWill(clientId, connectionNumber);
}
