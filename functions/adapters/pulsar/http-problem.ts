import { PortError, type PortErrorCode } from '../../ports/errors.js';

/** Of Pulsar's web service, which answers a refused WebSocket in the same way. What is not named is `unavailable`. */
const CODES: Readonly<Record<number, PortErrorCode>> = {
  400: 'refused',
  401: 'refused',
  403: 'refused',
  404: 'refused',
  // A name that is still taken: by the connection before, until the broker has noticed its end.
  409: 'conflict',
  412: 'refused',
};
/** What it says with 503 of a producer or consumer that it did not get from the broker, where trying again does not help. */
const WORDS: readonly [RegExp, PortErrorCode][] = [
  [/quota/i, 'full'],
  [/TopicTerminated|NotAllowed|Unauthorized|Authorization/, 'refused'],
];
const REASON = /errorMsg&quot;:&quot;(.*?)&quot;|"reason":"(.*?)"|<title>(.*?)<\/title>/s;
const REASON_MAX_LENGTH = 300;

/** What an answer other than 2xx means, with Pulsar's own words. */
export function httpProblem(what: string, status: number, body: string): PortError {
  const match = REASON.exec(body);
  const reason = (match?.[1] ?? match?.[2] ?? match?.[3] ?? body).slice(0, REASON_MAX_LENGTH).trim();
  const code = status === 503 ? WORDS.find(([words]) => words.test(reason))?.[1] : CODES[status];
  return new PortError(code ?? 'unavailable', `${what}: ${status} ${reason}`);
}
