import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import type { Authenticator } from '../../ports/authenticator.js';

/** OWASP's parameters for scrypt: 128 MiB would be its first choice, 64 MiB with p=2 costs as much and needs less memory at once. */
const COST = { N: 2 ** 16, r: 8, p: 2 };
const HASH_BYTES = 32;
const SALT_BYTES = 16;
const SCRYPT_MAX_MEMORY_BYTES = 256 * 1024 * 1024;
/** Hashes worked out at once: each takes a thread and its memory. */
const HASHES_AT_ONCE = 2;
/** Log-ins that may wait for their turn; above it they are told that the server is unavailable. */
const WAITING_MAX = 1_000;

interface Hash {
  cost: { N: number; r: number; p: number };
  salt: Buffer;
  hash: Buffer;
}

/** Users from the text of a file: a line each, `name:scrypt:N,r,p:salt:hash` (base64), `#` for comments. Throws naming the bad line. */
export function usersFrom(text: string): Authenticator {
  const users = new Map<string, Hash>();
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const match = /^([^:]+):scrypt:(\d+),(\d+),(\d+):([A-Za-z0-9+/=]+):([A-Za-z0-9+/=]+)\s*$/.exec(line);
    if (match === null) throw new Error(`line ${index + 1} is not name:scrypt:N,r,p:salt:hash`);
    const [, name, N, r, p, salt, hash] = match as unknown as [string, string, string, string, string, string, string];
    if (users.has(name)) throw new Error(`line ${index + 1} names a user again`);
    users.set(name, {
      cost: { N: Number(N), r: Number(r), p: Number(p) },
      salt: Buffer.from(salt, 'base64'),
      hash: Buffer.from(hash, 'base64'),
    });
  }
  return authenticatorOf(users);
}

/** What stands behind `name:` in a users file, for a new password. */
export async function hashPassword(password: Uint8Array): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive(password, { cost: COST, salt, hash: Buffer.alloc(HASH_BYTES) });
  return `scrypt:${COST.N},${COST.r},${COST.p}:${salt.toString('base64')}:${hash.toString('base64')}`;
}

function authenticatorOf(users: ReadonlyMap<string, Hash>): Authenticator {
  // An unknown name costs what a known one does, so that the time does not tell them apart.
  const nobody: Hash = { cost: COST, salt: randomBytes(SALT_BYTES), hash: randomBytes(HASH_BYTES) };
  const turns = new Turns();
  return {
    async authenticate({ username, password }) {
      if (username === undefined || password === undefined) return { admitted: false, known: false };
      const known = users.get(username);
      const expected = known ?? nobody;
      const derived = await turns.take(() => derive(password, expected));
      const isRight = timingSafeEqual(derived, expected.hash);
      return known !== undefined && isRight
        ? { admitted: true, principal: username }
        : { admitted: false, known: false };
    },
  };
}

function derive(password: Uint8Array, { cost, salt, hash }: Hash): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const options = { ...cost, maxmem: SCRYPT_MAX_MEMORY_BYTES };
    scrypt(password, salt, hash.length, options, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

/** Lets a few run at once and the others wait in line. */
class Turns {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  async take<T>(run: () => Promise<T>): Promise<T> {
    if (this.#waiting.length >= WAITING_MAX) throw new Error('too many log-ins at once');
    if (this.#running >= HASHES_AT_ONCE) await new Promise<void>((turn) => this.#waiting.push(turn));
    else this.#running += 1;
    try {
      return await run();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running -= 1;
    }
  }
}
