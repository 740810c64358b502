import { createPublicKey, createSecretKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';

/** What tokens are verified with. */
export interface TokenKeys {
  /** Others are refused whatever the token says of itself. */
  algorithms: readonly string[];
  /** Rejects with an error of `jose` where no key fits the token, and `PortError` `unavailable` where keys cannot be had. */
  keyFor: JWTVerifyGetKey;
}

/** Those with a public key: who verifies cannot sign. */
export const ASYMMETRIC = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
] as const;
/** The one with a shared secret; only for a secret that is pinned, so that a public key is never taken for one. */
export const SYMMETRIC = 'HS256';

const RSA_MIN_BITS = 2048;
/** RFC 7518 section 3.2: as long as the hash. */
const SECRET_MIN_BYTES = 32;
const CURVES: Readonly<Record<string, string>> = { prime256v1: 'ES256', secp384r1: 'ES384', secp521r1: 'ES512' };

/**
 * The key in a text: a public key or certificate in PEM, or a JWK (RFC 7517), or a set of them. A secret is a JWK of type `oct`.
 * `asked`: the only algorithms to be taken; null: all that the key can do. Throws saying what is wrong, never the key.
 */
export function pinnedKeys(text: string, asked: readonly string[] | null): TokenKeys {
  const trimmed = text.replace(/^\uFEFF/, '').trim();
  if (trimmed.startsWith('-----BEGIN')) return keysOf(fromPem(trimmed), asked);
  const json = parsed(trimmed);
  if (Array.isArray(json.keys)) {
    if (json.keys.some((key) => key?.d !== undefined || key?.kty === 'oct')) {
      throw new Error('a set of keys with one that is not public');
    }
    return { algorithms: amongst(ASYMMETRIC, asked), keyFor: createLocalJWKSet(json as unknown as JSONWebKeySet) };
  }
  const key = json.kty === 'oct' ? secretOf(json) : publicKey({ key: json, format: 'jwk' });
  const own = typeof json.alg === 'string' ? [json.alg] : null;
  return keysOf(key, asked, own);
}

/** Throws where nothing is left. */
export function amongst(possible: readonly string[], asked: readonly string[] | null): string[] {
  const left = possible.filter((algorithm) => asked === null || asked.includes(algorithm));
  if (left.length === 0) throw new Error(`a key for ${possible.join(', ')} and none of the algorithms that are set`);
  return left;
}

function keysOf(key: KeyObject, asked: readonly string[] | null, own: readonly string[] | null = null): TokenKeys {
  const possible = algorithmsOf(key);
  return { algorithms: amongst(own === null ? possible : amongst(possible, own), asked), keyFor: async () => key };
}

function algorithmsOf(key: KeyObject): readonly string[] {
  const { modulusLength = RSA_MIN_BITS, namedCurve = '' } = key.asymmetricKeyDetails ?? {};
  if (modulusLength < RSA_MIN_BITS) throw new Error(`an RSA key of less than ${RSA_MIN_BITS} bits`);
  switch (key.type === 'secret' ? 'secret' : key.asymmetricKeyType) {
    case 'secret':
      return [SYMMETRIC];
    case 'rsa':
      return ASYMMETRIC.filter((algorithm) => /^[RP]S/.test(algorithm));
    case 'rsa-pss':
      return ASYMMETRIC.filter((algorithm) => algorithm.startsWith('PS'));
    case 'ed25519':
      return ['EdDSA', 'Ed25519'];
    case 'ec': {
      const algorithm = CURVES[namedCurve];
      if (algorithm !== undefined) return [algorithm];
    }
  }
  throw new Error(`a key of a kind that no algorithm here is for (${key.asymmetricKeyType} ${namedCurve})`);
}

function fromPem(text: string): KeyObject {
  // Node would take the public half of it; but whoever verifies should not have the other.
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) throw new Error('a private key, where the public one belongs');
  return publicKey(text);
}

function publicKey(from: string | { key: JsonWebKey; format: 'jwk' }): KeyObject {
  if (typeof from !== 'string' && from.key.d !== undefined) {
    throw new Error('a private key, where the public one belongs');
  }
  try {
    return createPublicKey(from);
  } catch {
    throw new Error('no public key that can be read');
  }
}

function secretOf({ k }: JsonWebKey): KeyObject {
  const bytes = Buffer.from(k ?? '', 'base64url');
  if (bytes.length < SECRET_MIN_BYTES) throw new Error(`a secret of less than ${SECRET_MIN_BYTES} bytes`);
  return createSecretKey(bytes);
}

function parsed(text: string): JsonWebKey {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as JsonWebKey;
  } catch {
    // Said below, without the text: it may be a secret.
  }
  throw new Error('neither PEM nor a JWK');
}
