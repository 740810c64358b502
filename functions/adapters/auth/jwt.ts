import { type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose';
import type { Authenticator, Credentials, Verdict } from '../../ports/authenticator.js';
import { PortError } from '../../ports/errors.js';
import { filledFilters, type Holder, type Permissions, ruleProblem } from '../../topics/permissions.js';
import type { TokenKeys } from './token-keys.js';

export interface JwtOptions {
  keys: TokenKeys;
  /** Any one of them; empty: whoever has the key may issue. */
  issuers: readonly string[];
  /** Any one of them; empty: tokens for others are taken too. */
  audiences: readonly string[];
  /** How far clocks may be apart. */
  clockToleranceS: number;
  /** The claim that says who it is. */
  usernameClaim: string;
  /** The claim that binds the token to one client identifier; where it has to be there, `isRequired`. */
  clientIdClaim: { name: string; isRequired: boolean };
  /** Whether a connection ends with its token. */
  endsExpired: boolean;
  /** Milliseconds since the epoch. */
  now: () => number;
}

/** A longer token costs more to look at than anybody's claims are worth. */
const TOKEN_MAX_BYTES = 16 * 1024;

/**
 * Admits whoever brings a JSON Web Token (RFC 7519) that was signed by one of the keys and has not expired: in CONNECT's
 * password, or, where there is none, in the WebSocket handshake. The client's User Name says nothing here.
 */
export function jwtAuthenticator(options: JwtOptions): Authenticator {
  return {
    async authenticate(credentials) {
      const token = tokenOf(credentials);
      if (token === null) return refused('no token, neither in the password nor in the handshake');
      const verified = await verify(token, options);
      return typeof verified === 'string' ? refused(verified) : admission(verified, credentials, options);
    },
    checkToken: async (token) => typeof (await verify(token, options)) !== 'string',
  };
}

function tokenOf({ password, token }: Credentials): string | null {
  return password !== undefined && password.length > 0 ? Buffer.from(password).toString() : (token ?? null);
}

/** The claims, or why there are none. Rejects `unavailable` where the keys cannot be had. */
async function verify(token: string, options: JwtOptions): Promise<JWTPayload | string> {
  const { keys, issuers, audiences, clockToleranceS, now } = options;
  if (token.length > TOKEN_MAX_BYTES) return `a token of more than ${TOKEN_MAX_BYTES} bytes`;
  const rules: JWTVerifyOptions = {
    algorithms: [...keys.algorithms],
    clockTolerance: clockToleranceS,
    currentDate: new Date(now()),
    requiredClaims: ['exp'],
    ...(issuers.length > 0 && { issuer: [...issuers] }),
    ...(audiences.length > 0 && { audience: [...audiences] }),
  };
  try {
    const { payload } = await jwtVerify(token, keys.keyFor, rules);
    return payload;
  } catch (error) {
    if (error instanceof PortError) throw error;
    return `the token is refused: ${error instanceof Error ? error.message : error}`;
  }
}

function admission(claims: JWTPayload, { clientId }: Credentials, options: JwtOptions): Verdict {
  const { usernameClaim, clientIdClaim, clockToleranceS, endsExpired } = options;
  const bound = claims[clientIdClaim.name];
  if (bound === undefined ? clientIdClaim.isRequired : bound !== clientId) {
    return { admitted: false, known: true, why: `the token is for another client identifier (${clientIdClaim.name})` };
  }
  const claimed = claims[usernameClaim];
  const username = typeof claimed === 'string' ? claimed : '';
  const permissions = permissionsOf(claims, { clientId, username });
  if (typeof permissions === 'string') return { admitted: false, known: true, why: permissions };
  return {
    admitted: true,
    principal: username,
    ...(permissions !== null && { permissions }),
    ...(endsExpired && { expiresAtMs: ((claims.exp as number) + clockToleranceS) * 1000 }),
  };
}

/** By the claims `publ` and `subs`, lists of filters; null where it has neither; what is wrong with them where there is something. */
function permissionsOf({ publ, subs }: JWTPayload, holder: Holder): Permissions | string | null {
  if (publ === undefined && subs === undefined) return null;
  const [publish, subscribe] = [publ, subs].map((claim) => (claim === undefined ? [] : claim));
  if (!isFilters(publish) || !isFilters(subscribe)) return 'publ or subs of the token is not a list of filters';
  return { publish: filledFilters(publish, holder), subscribe: filledFilters(subscribe, holder) };
}

function isFilters(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string' && ruleProblem(each) === null);
}

function refused(why: string): Verdict {
  return { admitted: false, known: false, why };
}
