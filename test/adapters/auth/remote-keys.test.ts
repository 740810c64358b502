import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { jwtAuthenticator } from '../../../functions/adapters/auth/jwt.js';
import { type RemoteKeysOptions, remoteKeys } from '../../../functions/adapters/auth/remote-keys.js';
import { PortError } from '../../../functions/ports/errors.js';
import { type Issuer, issuer, KeyServer, tokenOf } from '../../support/tokens.js';

const ONE = issuer('one');
const TWO = issuer('two');
const DAY_MS = 24 * 60 * 60_000;
let server: KeyServer;

before(async () => {
  server = await KeyServer.start();
});
after(() => server.stop());

/** What admits by the server's keys, and whose clock can be put forward. */
function opened(options: Partial<RemoteKeysOptions> = {}, ...issuers: Issuer[]) {
  server.issuers = issuers;
  server.answer = null;
  server.asked = 0;
  let aheadMs = 0;
  const now = () => Date.now() + aheadMs;
  const authenticator = jwtAuthenticator({
    keys: remoteKeys({ url: server.url, algorithms: null, now, ...options }),
    issuers: [],
    audiences: [],
    clockToleranceS: 0,
    usernameClaim: 'sub',
    clientIdClaim: { name: 'clientid', isRequired: false },
    endsExpired: true,
    now: () => Date.now(),
  });
  const admits = async (by: Issuer): Promise<boolean> => authenticator.checkToken?.(await tokenOf(by, {})) ?? false;
  return {
    admits,
    pass: (ms: number) => {
      aheadMs += ms;
    },
  };
}

function unavailable(error: unknown): boolean {
  return error instanceof PortError && error.code === 'unavailable' && error.message.includes(server.url);
}

test('keys are fetched once for many tokens', async () => {
  const { admits } = opened({}, ONE, TWO);
  const all = await Promise.all([ONE, TWO, ONE, TWO].map((by) => admits(by)));
  assert.deepEqual([...all, await admits(ONE)], [true, true, true, true, true]);
  assert.equal(server.asked, 1);
});

test('a key that is not known is looked for once, not for every token that names it', async () => {
  const { admits } = opened({}, ONE);
  assert.equal(await admits(ONE), true);
  for (let i = 0; i < 5; i += 1) assert.equal(await admits(TWO), false);
  assert.equal(server.asked, 1);
});

test('a key that comes later is found once the pause is over', async () => {
  const { admits } = opened({ cooldownMs: 0 }, ONE);
  assert.equal(await admits(ONE), true);
  server.issuers = [ONE, TWO];
  assert.equal(await admits(TWO), true);
});

test('a key that was withdrawn is trusted no more once the keys are fetched anew', async () => {
  const { admits } = opened({ cacheMaxAgeMs: 0 }, ONE);
  assert.equal(await admits(ONE), true);
  server.issuers = [TWO];
  assert.equal(await admits(ONE), false);
});

for (const [what, answer] of [
  ['fails', { status: 500, body: '' }],
  ['says what is no JSON', { status: 200, body: '<html>' }],
  ['says what are no keys', { status: 200, body: '{}' }],
  ['says more than keys can be', { status: 200, body: `{"keys":[],"x":"${'x'.repeat(300_000)}"}` }],
] as const) {
  test(`where the server ${what}, it cannot be told who comes; with keys from before, it can for a day`, async () => {
    const first = opened({ cacheMaxAgeMs: 0 }, ONE);
    server.answer = answer;
    await assert.rejects(first.admits(ONE), unavailable);
    const { admits, pass } = opened({ cacheMaxAgeMs: 0 }, ONE);
    assert.equal(await admits(ONE), true);
    server.answer = answer;
    assert.equal(await admits(ONE), true);
    pass(DAY_MS + 1);
    await assert.rejects(admits(ONE), unavailable);
  });
}

test('a server that failed is asked again after a pause, not for every token', async () => {
  const { admits, pass } = opened({}, ONE);
  server.answer = { status: 503, body: '' };
  for (let i = 0; i < 5; i += 1) await assert.rejects(admits(ONE), unavailable);
  assert.equal(server.asked, 1);
  server.answer = null;
  pass(2_000);
  assert.equal(await admits(ONE), true);
});

test('a redirection is not followed', async () => {
  const { admits } = opened({}, ONE);
  server.answer = { status: 302, body: '' };
  await assert.rejects(admits(ONE), unavailable);
});
