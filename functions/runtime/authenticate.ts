import type { Effect } from '../connection/effects.js';
import type { Input } from '../connection/inputs.js';
import type { Authenticator } from '../ports/authenticator.js';
import type { Telemetry } from '../ports/telemetry.js';

/** Asks who a client is. Resolves, never rejects, with the input that says what came of it. */
export async function authenticate(
  { type: _, ...shown }: Extract<Effect, { type: 'authenticate' }>,
  peer: string,
  { authenticator, telemetry }: { authenticator: Authenticator; telemetry: Telemetry },
): Promise<Input> {
  const client = shown.clientId;
  try {
    const verdict = await authenticator.authenticate({ ...shown, peer });
    if (verdict.admitted) return { ...verdict, type: 'authenticated', verdict: 'admitted' };
    if (verdict.why !== undefined) telemetry.log('info', 'not-admitted', { client, peer, why: verdict.why });
    return { type: 'authenticated', verdict: verdict.known ? 'not-authorized' : 'refused' };
  } catch (error) {
    telemetry.log('warn', 'authenticator-failed', { client, error: String(error) });
    return { type: 'authenticated', verdict: 'unavailable' };
  }
}
