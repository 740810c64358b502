import { readFileSync } from 'node:fs';
import { anonymous } from '../adapters/auth/anonymous.js';
import { jwtAuthenticator } from '../adapters/auth/jwt.js';
import { remoteKeys } from '../adapters/auth/remote-keys.js';
import { renewing } from '../adapters/auth/renewing.js';
import { parseRules, withRules } from '../adapters/auth/rules.js';
import { pinnedKeys, type TokenKeys } from '../adapters/auth/token-keys.js';
import { usersFrom } from '../adapters/auth/users.js';
import type { Authenticator } from '../ports/authenticator.js';
import type { Clock } from '../ports/clock.js';
import type { Secrets } from '../ports/secrets.js';
import type { Telemetry } from '../ports/telemetry.js';
import { isUrlOfKeys } from './jwt-settings.js';
import { sourceOf } from './remote-parts.js';
import { secretOf } from './secret-setting.js';
import type { Settings } from './settings.js';

type Asked = Pick<Settings, 'auth' | 'acl' | 'limits'>;

interface Parts {
  clock: Clock;
  telemetry: Telemetry;
  secrets: Secrets;
  /** Of a text of rules. */
  parse: (text: string) => unknown;
}

/** What an authenticator is made of. */
interface Recipe {
  setting: string;
  /** A file, or `secrets:NAME`. */
  place: string;
  make: (text: string) => Authenticator;
  checksTokens: boolean;
  /** Whether a refusal may come of an old text. */
  renewsRefused: boolean;
}

/** Throws naming what is wrong with a file that the settings name; what is wrong with a secret shows when somebody comes. */
export function authenticatorOf(asked: Asked, parts: Parts): Authenticator {
  const authenticator = ownOf(asked, parts);
  if (asked.acl === null) return authenticator;
  return made(
    {
      setting: 'PULSEGATE_ACL',
      place: asked.acl,
      make: (text) => withRules(authenticator, parseRules(parts.parse(text))),
      checksTokens: authenticator.checkToken !== undefined,
      renewsRefused: false,
    },
    parts,
  );
}

function ownOf({ auth, limits }: Asked, parts: Parts): Authenticator {
  const setting = 'PULSEGATE_AUTH';
  const now = () => parts.clock.now();
  switch (auth.kind) {
    case 'anonymous':
      return anonymous;
    case 'users': {
      const make = (text: string) => usersFrom(text);
      return made({ setting, place: auth.file, make, checksTokens: false, renewsRefused: true }, parts);
    }
    case 'jwt': {
      const by = (keys: TokenKeys) =>
        jwtAuthenticator({ ...auth, keys, clockToleranceS: limits.jwtClockToleranceS, now });
      const { keys: place, algorithms } = auth;
      if (isUrlOfKeys(place)) return by(remoteKeys({ url: place, algorithms, now }));
      const make = (text: string) => by(pinnedKeys(text, algorithms));
      return made({ setting, place, make, checksTokens: true, renewsRefused: true }, parts);
    }
  }
}

function made({ setting, place, make, ...how }: Recipe, { secrets, telemetry }: Parts): Authenticator {
  const secret = secretOf(place);
  if (secret !== null) {
    const unusable = (error: unknown) =>
      telemetry.log('error', 'secret-unusable', { setting, place, error: messageOf(error) });
    return renewing({ ...how, source: sourceOf(secrets, secret), make, unusable });
  }
  try {
    return make(readFileSync(place, 'utf8'));
  } catch (error) {
    throw new Error(`${setting} names ${place}, which cannot be used: ${messageOf(error)}`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
