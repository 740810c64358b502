import { PortError, type PortErrorCode } from '../../ports/errors.js';

/** Pulsar does not take our token; 403 says that it does, and that it does not help. */
export const UNAUTHORIZED = 401;

export class TokenRefused extends PortError {}

/** Of Pulsar's web service, which answers a refused WebSocket in the same way. What is not named is `unavailable`. */
const CODES: Readonly<Record<number, PortErrorCode>> = {
  400: 'refused',
  403: 'refused',
  404: 'refused',
  // A name that is still taken: by the connection before, until the broker has noticed its end.
  409: 'conflict',
  412: 'refused',
};
/** With 412 of a topic that is between two brokers, as it is for a moment after its namespace was made: "Can't find owner for topic". */
const BETWEEN_BROKERS = /\bown(er|ed)/i;
/** What it says with 409 or 503 of a producer or consumer that it did not get from the broker, where trying again does not help. */
const WORDS: readonly [RegExp, PortErrorCode][] = [
  [/quota/i, 'full'],
  [/TopicTerminated|NotAllowed|Unauthorized|Authorization|IncompatibleSchema/, 'refused'],
];
const REASON = /errorMsg&quot;:&quot;(.*?)&quot;|"reason":"(.*?)"|<title>(.*?)<\/title>/s;
const REASON_MAX_LENGTH = 300;

/** What an answer other than 2xx means, with Pulsar's own words. */
export function httpProblem(what: string, status: number, body: string): PortError {
  const match = REASON.exec(body);
  const reason = (match?.[1] ?? match?.[2] ?? match?.[3] ?? body).slice(0, REASON_MAX_LENGTH).trim();
  const text = `${what}: ${status} ${reason}`;
  if (status === UNAUTHORIZED) return new TokenRefused('refused', text);
  if (status === 412 && BETWEEN_BROKERS.test(reason)) return new PortError('unavailable', text);
  const ofBroker = status === 409 || status === 503;
  const said = ofBroker ? WORDS.find(([words]) => words.test(reason))?.[1] : undefined;
  return new PortError(said ?? CODES[status] ?? 'unavailable', text);
}
