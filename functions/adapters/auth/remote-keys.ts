import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from 'jose';
import { PortError } from '../../ports/errors.js';
import { ASYMMETRIC, amongst, type TokenKeys } from './token-keys.js';

export interface RemoteKeysOptions {
  url: string;
  /** The only algorithms to be taken; null: all that have public keys. */
  algorithms: readonly string[] | null;
  /** Milliseconds since the epoch. */
  now: () => number;
  cacheMaxAgeMs?: number;
  cooldownMs?: number;
}

/** After it keys are fetched anew, so that one that was withdrawn is not trusted for long. */
const CACHE_MAX_AGE_MS = 10 * 60_000;
/** A token with a key that is not known has the keys fetched anew, but not more often: anybody can make such a token. */
const COOLDOWN_MS = 30_000;
/** How long the last keys serve while their server cannot be reached. */
const STALE_MAX_MS = 24 * 60 * 60_000;
/** Where fetching has failed, it is not tried again within. */
const FAILURE_PAUSE_MS = 2_000;
const TIMEOUT_MS = 5_000;
/** A key takes some 500 bytes, with its certificates some 5,000. */
const KEYS_MAX_BYTES = 256 * 1024;

/** Public keys that an issuer publishes as a JWK set: fetched when first needed, kept, and fetched again in bounds. */
export function remoteKeys(options: RemoteKeysOptions): TokenKeys {
  const { url, now } = options;
  const served = new LastServed(now);
  const keys = createRemoteJWKSet(new URL(url), {
    cacheMaxAge: options.cacheMaxAgeMs ?? CACHE_MAX_AGE_MS,
    cooldownDuration: options.cooldownMs ?? COOLDOWN_MS,
    timeoutDuration: TIMEOUT_MS,
    [customFetch]: (from, init) => served.fetch(from, init),
  });
  const keyFor: JWTVerifyGetKey = async (header, token) => {
    try {
      return await keys(header, token);
    } catch (error) {
      if (isAboutToken(error)) throw error;
      throw new PortError('unavailable', `the keys at ${url} cannot be had: ${String(error)}`, { cause: error });
    }
  };
  return { algorithms: amongst(ASYMMETRIC, options.algorithms), keyFor };
}

/** The set is there and no key in it fits: `ERR_JOSE_GENERIC`, a timeout and a set that is none are not the token's fault. */
function isAboutToken(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  );
}

/** Fetches, and serves what was fetched last while that fails. */
class LastServed {
  readonly #now: () => number;
  #text: string | null = null;
  #fetchedAtMs = Number.NEGATIVE_INFINITY;
  #failure: unknown;
  #failedAtMs = Number.NEGATIVE_INFINITY;

  constructor(now: () => number) {
    this.#now = now;
  }

  async fetch(url: string, init: RequestInit): Promise<Response> {
    const isPause = this.#now() - this.#failedAtMs < FAILURE_PAUSE_MS;
    try {
      if (isPause) throw this.#failure;
      const response = await fetch(url, { ...init, redirect: 'error' });
      if (response.status !== 200) throw new Error(`HTTP status ${response.status}`);
      this.#text = await textOf(response);
      this.#fetchedAtMs = this.#now();
    } catch (error) {
      if (!isPause) this.#failedAtMs = this.#now();
      this.#failure = error;
      if (this.#text === null || this.#now() - this.#fetchedAtMs > STALE_MAX_MS) throw error;
    }
    return new Response(this.#text, { headers: { 'content-type': 'application/json' } });
  }
}

/** Rejects where it is larger than a set of keys can be, or is not one: what serves has to be of use. */
async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > KEYS_MAX_BYTES) throw new Error(`more than ${KEYS_MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString();
  const keys: unknown = (JSON.parse(text) as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(keys)) throw new Error('not a set of keys');
  return text;
}
