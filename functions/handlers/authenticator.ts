import { readFileSync } from 'node:fs';
import { anonymous } from '../adapters/auth/anonymous.js';
import { jwtAuthenticator } from '../adapters/auth/jwt.js';
import { remoteKeys } from '../adapters/auth/remote-keys.js';
import { parseRules, withRules } from '../adapters/auth/rules.js';
import { pinnedKeys } from '../adapters/auth/token-keys.js';
import { usersFrom } from '../adapters/auth/users.js';
import type { Authenticator } from '../ports/authenticator.js';
import type { Clock } from '../ports/clock.js';
import { isUrlOfKeys } from './jwt-settings.js';
import type { AuthSetting } from './setting-readers.js';
import type { Settings } from './settings.js';

const AUTH = 'PULSEGATE_AUTH';

type Asked = Pick<Settings, 'auth' | 'acl' | 'limits'>;

interface Parts {
  clock: Clock;
  /** Of a file of rules. */
  parse: (text: string) => unknown;
}

/** Throws naming what is wrong with a file that the settings name. */
export function authenticatorOf(asked: Asked, { clock, parse }: Parts): Authenticator {
  const authenticator = ownOf(asked, clock);
  const { acl } = asked;
  if (acl === null) return authenticator;
  return withRules(
    authenticator,
    from('PULSEGATE_ACL', acl, () => parseRules(parse(readFileSync(acl, 'utf8')))),
  );
}

function ownOf({ auth, limits }: Asked, clock: Clock): Authenticator {
  switch (auth.kind) {
    case 'anonymous':
      return anonymous;
    case 'users':
      return from(AUTH, `users:${auth.file}`, () => usersFrom(readFileSync(auth.file, 'utf8')));
    case 'jwt': {
      const now = () => clock.now();
      const keys = from(AUTH, `jwt:${auth.keys}`, () => keysOf(auth, now));
      return jwtAuthenticator({ ...auth, keys, clockToleranceS: limits.jwtClockToleranceS, now });
    }
  }
}

function keysOf({ keys, algorithms }: Extract<AuthSetting, { kind: 'jwt' }>, now: () => number) {
  if (isUrlOfKeys(keys)) return remoteKeys({ url: keys, algorithms, now });
  return pinnedKeys(readFileSync(keys, 'utf8'), algorithms);
}

function from<T>(setting: string, value: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${setting} is ${value}, which cannot be used: ${why}`);
  }
}
