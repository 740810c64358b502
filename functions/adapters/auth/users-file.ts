/** What a password is compared with. */
export interface PasswordHash {
  cost: ScryptCost;
  salt: Buffer;
  hash: Buffer;
}

/** scrypt's parameters (RFC 7914): work and memory grow with `N` times `r`, work alone with `p`. */
export interface ScryptCost {
  N: number;
  r: number;
  p: number;
}

/** What one comparison may take of memory, which scrypt needs at 128 `N` `r` bytes. */
export const HASH_MEMORY_MAX_BYTES = 256 * 1024 * 1024;
/** Above it somebody mistyped: a log-in would take minutes. */
const P_MAX = 64;
const SALT_MIN_BYTES = 8;
/** A shorter one can be met by chance. */
const HASH_MIN_BYTES = 16;

const LINE = /^([^:]+):scrypt:(\d{1,9}),(\d{1,9}),(\d{1,9}):([A-Za-z0-9+/]+={0,2}):([A-Za-z0-9+/]+={0,2})$/;

/**
 * The users of a file: a line each, `name:scrypt:N,r,p:salt:hash` (salt and hash in base64), `#` for comments.
 * A name has no colon. Throws naming every bad line by its number, never by its content.
 */
export function parseUsers(text: string): ReadonlyMap<string, PasswordHash> {
  const users = new Map<string, PasswordHash>();
  const problems: string[] = [];
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const user = parseLine(line);
    if (typeof user === 'string') problems.push(`line ${index + 1} ${user}`);
    else if (users.has(user.name)) problems.push(`line ${index + 1} names a user again`);
    else users.set(user.name, user);
  }
  if (problems.length > 0) throw new Error(problems.join('; '));
  if (users.size === 0) throw new Error('it names no user, so nobody could come in');
  return users;
}

function parseLine(line: string): (PasswordHash & { name: string }) | string {
  const match = LINE.exec(line);
  if (match === null) return 'is not name:scrypt:N,r,p:salt:hash';
  const [, name, N, r, p, salt, hash] = match as unknown as [string, string, string, string, string, string, string];
  const user = {
    name,
    cost: { N: Number(N), r: Number(r), p: Number(p) },
    salt: Buffer.from(salt, 'base64'),
    hash: Buffer.from(hash, 'base64'),
  };
  if (!isPossible(user.cost)) return 'has parameters of scrypt that cannot be had here';
  if (user.salt.length < SALT_MIN_BYTES) return `has a salt of less than ${SALT_MIN_BYTES} bytes`;
  if (user.hash.length < HASH_MIN_BYTES) return `has a hash of less than ${HASH_MIN_BYTES} bytes`;
  return user;
}

function isPossible({ N, r, p }: ScryptCost): boolean {
  const isPowerOfTwo = N > 1 && Number.isInteger(Math.log2(N));
  return isPowerOfTwo && r > 0 && p > 0 && p <= P_MAX && 128 * r * (N + p + 2) <= HASH_MEMORY_MAX_BYTES;
}
