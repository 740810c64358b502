import assert from 'node:assert/strict';
import { scryptSync } from 'node:crypto';
import { test } from 'node:test';
import { hashPassword, usersFrom } from '../../../functions/adapters/auth/users.js';
import type { Authenticator } from '../../../functions/ports/authenticator.js';

/** Cheap, for tests only. */
const COST = { N: 1024, r: 8, p: 1 };
const SALT = Buffer.from('salt of sixteen!');
const REFUSED = { admitted: false, known: false };

function line(name: string, password: string | Buffer): string {
  const hash = scryptSync(password, SALT, 32, COST);
  return `${name}:scrypt:${COST.N},${COST.r},${COST.p}:${SALT.toString('base64')}:${hash.toString('base64')}`;
}

function enter(users: Authenticator, username: string | undefined, password: string | Buffer | undefined) {
  const bytes = password === undefined ? undefined : Buffer.from(password);
  return users.authenticate({ clientId: 'c', username, password: bytes, peer: '127.0.0.1:1' });
}

test('a user with the right password is admitted under that name', async () => {
  const users = usersFrom(`# people\n\n${line('ada', 'engine')}\r\n${line('bob', 'b')}\n`);
  assert.deepEqual(await enter(users, 'ada', 'engine'), { admitted: true, principal: 'ada' });
  assert.deepEqual(await enter(users, 'bob', 'b'), { admitted: true, principal: 'bob' });
});

test('a wrong password, an unknown name and what is missing are refused alike', async () => {
  const users = usersFrom(line('ada', 'engine'));
  assert.deepEqual(await enter(users, 'ada', 'Engine'), REFUSED);
  assert.deepEqual(await enter(users, 'ada', ''), REFUSED);
  assert.deepEqual(await enter(users, 'eve', 'x'), REFUSED);
  assert.deepEqual(await enter(users, 'ada', undefined), REFUSED);
  assert.deepEqual(await enter(users, undefined, 'engine'), REFUSED);
});

test("an unknown name with some user's password is refused, although it is compared with that user's hash", async () => {
  const users = usersFrom(line('ada', 'engine'));
  for (const name of ['eve', 'Ada', 'ada ', '__proto__']) assert.deepEqual(await enter(users, name, 'engine'), REFUSED);
});

test('a password is bytes, not text', async () => {
  const password = Buffer.from([0xff, 0x00, 0xfe]);
  const users = usersFrom(line('ada', password));
  assert.equal((await enter(users, 'ada', password)).admitted, true);
  assert.equal((await enter(users, 'ada', Buffer.from([0xfd, 0x00, 0xfe]))).admitted, false);
});

test('a hash made for a password makes a line that admits it, with a salt of its own', async () => {
  const hashed = await hashPassword(Buffer.from('engine'));
  assert.notEqual(hashed, await hashPassword(Buffer.from('engine')));
  const users = usersFrom(`ada:${hashed}`);
  assert.equal((await enter(users, 'ada', 'engine')).admitted, true);
  assert.equal((await enter(users, 'ada', 'engin')).admitted, false);
});

test('past those that may wait, a log-in is told to come again, and the others are served', async () => {
  const users = usersFrom(line('ada', 'engine'), 2);
  const outcomes = await Promise.allSettled(Array.from({ length: 6 }, () => enter(users, 'ada', 'engine')));
  // Two at work, two waiting.
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'rejected'],
  );
  const { reason } = outcomes[5] as PromiseRejectedResult;
  assert.equal(reason.code, 'unavailable');
  assert.equal((await enter(users, 'ada', 'engine')).admitted, true);
});

test('every unknown name costs as some user does, so that time does not tell them apart', async () => {
  const dear = line('dear', 'x').replace('1024,8,1', '32768,8,1');
  const users = usersFrom(`${dear}\n${dear.replace('dear', 'dear2')}`);
  const timeOf = async (name: string) => {
    const began = process.cpuUsage();
    for (let i = 0; i < 3; i += 1) await enter(users, name, 'x');
    const { user, system } = process.cpuUsage(began);
    return user + system;
  };
  const known = await timeOf('dear');
  const unknown = await timeOf('eve');
  // A cheap hash would be 32 times as fast, one of the cost for new passwords 4 times as slow.
  assert.ok(unknown > known / 3 && unknown < known * 3, `${unknown} against ${known} µs`);
});

const GOOD = line('ada', 'engine');
const BAD: Record<string, string> = {
  'is not name:scrypt:N,r,p:salt:hash': 'SECRET',
  'has parameters of scrypt that cannot be had here': GOOD.replace('1024,8,1', '1000,8,1'),
  'has a salt of less than 8 bytes': GOOD.replace(SALT.toString('base64'), 'AAAA'),
  'has a hash of less than 16 bytes': `${GOOD.slice(0, GOOD.lastIndexOf(':'))}:AAAA`,
};
for (const [problem, bad] of Object.entries(BAD)) {
  test(`a line that ${problem} is named by its number`, () => {
    assert.throws(() => usersFrom(`# first\n${line('bob', 'b')}\n${bad}`), { message: `line 3 ${problem}` });
  });
}

test('parameters that take more memory than there may be, or no work at all, are refused', () => {
  for (const cost of ['1048576,8,16', '1024,0,1', '1024,8,0', '1,8,1', '1024,8,65', '536870912,1,1']) {
    assert.throws(() => usersFrom(GOOD.replace('1024,8,1', cost)), /parameters of scrypt/, cost);
  }
});

test('the largest parameters that are taken can be worked out', async () => {
  const users = usersFrom(GOOD.replace('1024,8,1', '131072,8,1'));
  assert.deepEqual(await enter(users, 'ada', 'x'), REFUSED);
});

test('all bad lines are told at once, without their content', () => {
  const text = `SECRET\n${GOOD}\n${GOOD}\n:scrypt:1024,8,1:AAAA:AAAA`;
  assert.throws(
    () => usersFrom(text),
    ({ message }: Error) =>
      /^line 1 is not .*; line 3 names a user again; line 4 is not /.test(message) && !/SECRET|ada/.test(message),
  );
});

test('a file without users is refused, because nobody could come in', () => {
  assert.throws(() => usersFrom('# none\n'), /names no user/);
});
