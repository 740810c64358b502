import { readFileSync } from 'node:fs';
import { anonymous } from '../adapters/auth/anonymous.js';
import { usersFrom } from '../adapters/auth/users.js';
import type { Authenticator } from '../ports/authenticator.js';
import type { AuthSetting } from './setting-readers.js';

/** Throws naming what is wrong with the file that the setting names. */
export function authenticatorOf(auth: AuthSetting): Authenticator {
  if (auth.kind === 'anonymous') return anonymous;
  try {
    return usersFrom(readFileSync(auth.file, 'utf8'));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`PULSEGATE_AUTH is users:${auth.file}, which cannot be used: ${why}`);
  }
}
