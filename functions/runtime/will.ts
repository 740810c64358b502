import type { Clock } from '../ports/clock.js';
import { portErrorCode } from '../ports/errors.js';
import type { WaitingWill } from '../ports/store.js';
import type { Telemetry } from '../ports/telemetry.js';
import type { Presence } from './presence.js';
import { BEGIN_MAX_MS, type Publisher } from './publisher.js';

export interface WillParts {
  clock: Clock;
  telemetry: Telemetry;
  presence: Presence;
  publisher: Publisher;
}

const LOOK_MS = 50;

/**
 * Sees to it that a will that is due is published, and out of its row: edges and the shard may all try, and one does. Under a
 * token that is the will's alone what somebody else may have appended is looked for, not repeated. Resolves false where somebody else
 * still has it at `untilMs`. One that the log will never take is given up, and said. Rejects as `Log.append` and the store do otherwise.
 */
export async function publishWill(
  parts: WillParts,
  clientId: string,
  will: Pick<WaitingWill, 'connectionNumber' | 'publication'>,
  untilMs = Number.POSITIVE_INFINITY,
): Promise<boolean> {
  const { clock, presence, publisher } = parts;
  const goodForMs = BEGIN_MAX_MS + publisher.lateMaxMs;
  for (;;) {
    const taking = await presence.takeWill(clientId, will.connectionNumber, goodForMs);
    if (taking === 'gone') return true;
    if ('atMs' in taking && (await publishTaken(parts, clientId, will, taking))) return true;
    const waitMs = 'untilMs' in taking ? Math.min(LOOK_MS, taking.untilMs - clock.now()) : 0;
    if (clock.now() >= untilMs) return false;
    await new Promise<void>((resume) => clock.after(Math.max(0, waitMs), resume));
  }
}

/** False: it took so long that somebody else may have it by now. */
async function publishTaken(
  { clock, telemetry, presence, publisher }: WillParts,
  clientId: string,
  { connectionNumber, publication }: Pick<WaitingWill, 'connectionNumber' | 'publication'>,
  { atMs, inDoubtSinceMs }: { atMs: number; inDoubtSinceMs: number | null },
): Promise<boolean> {
  const token = `will:${clientId}:${connectionNumber}`;
  const isOut =
    inDoubtSinceMs !== null &&
    (await publisher.wasPublished(publication, token, {
      sinceMs: inDoubtSinceMs,
      // Nobody else has it any more.
      lastMs: inDoubtSinceMs - BEGIN_MAX_MS,
      isOwn: false,
    }));
  const publishedAtMs = clock.now();
  if (!isOut && publishedAtMs > atMs + BEGIN_MAX_MS) return false;
  try {
    if (!isOut) await publisher.publish({ ...publication, token, publishedAtMs });
    telemetry.count('wills-published');
  } catch (error) {
    const code = portErrorCode(error);
    if (code !== 'refused' && code !== 'too-large') throw error;
    telemetry.log('warn', 'will-refused', { client: clientId, topic: publication.topic, error: String(error) });
  }
  await presence.settleWill(clientId, connectionNumber);
  return true;
}
