import { createHmac, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import type { Authenticator } from '../../ports/authenticator.js';
import { PortError } from '../../ports/errors.js';
import { HASH_MEMORY_MAX_BYTES, type PasswordHash, parseUsers, type ScryptCost } from './users-file.js';

/** OWASP's parameters for scrypt: 128 MiB would be its first choice, 64 MiB with p=2 costs as much and needs less memory at once. */
const COST: ScryptCost = { N: 2 ** 16, r: 8, p: 2 };
const HASH_BYTES = 32;
const SALT_BYTES = 16;
/** Hashes worked out at once. Each takes one of Node's four threads, which the log's commits need too, and its memory. */
const HASHES_AT_ONCE = 2;
/**
 * Log-ins that may wait for their turn. More would wait longer than a client does: the work would be done for those who
 * have left, and never for those who just came.
 */
const WAITING_MAX = 32;

/**
 * Admits the users of a file by its text; see `parseUsers` for the form and what is thrown.
 * Rejects `unavailable` where too many log in at once.
 */
export function usersFrom(text: string, waitingMax = WAITING_MAX): Authenticator {
  const users = parseUsers(text);
  const decoys = new Decoys([...users.values()]);
  const turns = new Turns(waitingMax);
  return {
    async authenticate({ username, password }) {
      if (username === undefined || password === undefined) return { admitted: false, known: false };
      const known = users.get(username);
      const expected = known ?? decoys.for(username);
      const derived = await turns.take(() => derive(password, expected));
      const isRight = timingSafeEqual(derived, expected.hash);
      return known !== undefined && isRight
        ? { admitted: true, principal: username }
        : { admitted: false, known: false };
    },
  };
}

/** What stands behind `name:` in a users file, for a new password. */
export async function hashPassword(password: Uint8Array): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive(password, { cost: COST, salt, hash: Buffer.alloc(HASH_BYTES) });
  return `scrypt:${COST.N},${COST.r},${COST.p}:${salt.toString('base64')}:${hash.toString('base64')}`;
}

/**
 * What a name that nobody has is compared with, so that time does not tell it from one that somebody has: costs as some
 * user of the file does, always the same one, drawn by a key that only this process knows.
 */
class Decoys {
  readonly #costs: readonly PasswordHash[];
  readonly #key = randomBytes(32);

  constructor(costs: readonly PasswordHash[]) {
    this.#costs = costs;
  }

  for(name: string): PasswordHash {
    const drawn = createHmac('sha256', this.#key).update(name).digest().readUIntBE(0, 6);
    return this.#costs[drawn % this.#costs.length] as PasswordHash;
  }
}

function derive(password: Uint8Array, { cost, salt, hash }: PasswordHash): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const options = { ...cost, maxmem: HASH_MEMORY_MAX_BYTES };
    scrypt(password, salt, hash.length, options, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

/** Lets a few run at once and some others wait in line. */
class Turns {
  readonly #waitingMax: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(waitingMax: number) {
    this.#waitingMax = waitingMax;
  }

  async take<T>(run: () => Promise<T>): Promise<T> {
    if (this.#running >= HASHES_AT_ONCE) {
      if (this.#waiting.length >= this.#waitingMax) throw new PortError('unavailable', 'too many log-ins at once');
      await new Promise<void>((turn) => this.#waiting.push(turn));
    } else this.#running += 1;
    try {
      return await run();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running -= 1;
    }
  }
}
