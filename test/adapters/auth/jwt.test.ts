// biome-ignore-all lint/suspicious/noTemplateCurlyInString: rules have placeholders that look like it
import assert from 'node:assert/strict';
import { createSecretKey, generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { type JwtOptions, jwtAuthenticator } from '../../../functions/adapters/auth/jwt.js';
import { pinnedKeys } from '../../../functions/adapters/auth/token-keys.js';
import type { Verdict } from '../../../functions/ports/authenticator.js';
import { issuer, pemOf, tokenOf } from '../../support/tokens.js';

const NOW_S = 1_800_000_000;
const IN_TIME_S = NOW_S + 600;
const ISSUER = issuer();
const CREDENTIALS = { clientId: 'c', username: 'any', password: undefined, peer: '127.0.0.1:1' };

function authenticator(options: Partial<JwtOptions> = {}) {
  return jwtAuthenticator({
    keys: pinnedKeys(pemOf(ISSUER), null),
    issuers: [],
    audiences: [],
    clockToleranceS: 30,
    usernameClaim: 'sub',
    clientIdClaim: { name: 'clientid', isRequired: false },
    endsExpired: true,
    now: () => NOW_S * 1000,
    ...options,
  });
}

function show(token: string, options: Partial<JwtOptions> = {}): Promise<Verdict> {
  return authenticator(options).authenticate({ ...CREDENTIALS, password: Buffer.from(token) });
}

async function isAdmitted(token: Promise<string> | string, options: Partial<JwtOptions> = {}): Promise<boolean> {
  return (await show(await token, options)).admitted;
}

const ADA = { sub: 'ada' };

test('a token in the password admits under its subject, until it expires and the tolerance is over', async () => {
  const verdict = await show(await tokenOf(ISSUER, ADA, IN_TIME_S));
  assert.deepEqual(verdict, { admitted: true, principal: 'ada', expiresAtMs: (IN_TIME_S + 30) * 1000 });
  const kept = await show(await tokenOf(ISSUER, ADA, IN_TIME_S), { endsExpired: false });
  assert.deepEqual(kept, { admitted: true, principal: 'ada' });
});

test('a token of the handshake counts where CONNECT has no password, and not beside one', async () => {
  const token = await tokenOf(ISSUER, ADA, IN_TIME_S);
  assert.equal((await authenticator().authenticate({ ...CREDENTIALS, token })).admitted, true);
  const password = Buffer.from('x');
  assert.equal((await authenticator().authenticate({ ...CREDENTIALS, password, token })).admitted, false);
  assert.equal((await authenticator().authenticate(CREDENTIALS)).admitted, false);
});

test('expiry has to be there and to lie ahead, by the tolerance', async () => {
  assert.equal(await isAdmitted(tokenOf(ISSUER, ADA, NOW_S - 29)), true);
  assert.equal(await isAdmitted(tokenOf(ISSUER, ADA, NOW_S - 31)), false);
  assert.equal(await isAdmitted(tokenOf(ISSUER, ADA, null)), false);
  assert.equal(await isAdmitted(tokenOf(ISSUER, { ...ADA, nbf: NOW_S + 31 }, IN_TIME_S)), false);
});

test('issuer and audience have to be among those that are set', async () => {
  const token = await tokenOf(ISSUER, { ...ADA, iss: 'https://id', aud: ['x', 'mqtt'] }, IN_TIME_S);
  assert.equal(await isAdmitted(token, { issuers: ['https://id'], audiences: ['mqtt'] }), true);
  assert.equal(await isAdmitted(token, { issuers: ['https://other'] }), false);
  assert.equal(await isAdmitted(token, { audiences: ['other'] }), false);
  assert.equal(await isAdmitted(tokenOf(ISSUER, ADA, IN_TIME_S), { audiences: ['mqtt'] }), false);
});

test('a token bound to a client identifier is good for no other', async () => {
  const bound = (clientid: unknown) => tokenOf(ISSUER, { ...ADA, clientid }, IN_TIME_S);
  assert.equal(await isAdmitted(bound('c')), true);
  const { why: _, ...verdict } = (await show(await bound('d'))) as { why?: string };
  assert.deepEqual(verdict, { admitted: false, known: true });
  assert.equal(await isAdmitted(bound(['c'])), false);
  const clientIdClaim = { name: 'clientid', isRequired: true };
  assert.equal(await isAdmitted(tokenOf(ISSUER, ADA, IN_TIME_S), { clientIdClaim }), false);
});

test('the user name is another claim where that is set, and nobody where it is not a text', async () => {
  const named = { usernameClaim: 'preferred_username' };
  const verdict = await show(await tokenOf(ISSUER, { preferred_username: 'Ada' }, IN_TIME_S), named);
  assert.equal(verdict.admitted && verdict.principal, 'Ada');
  const nobody = await show(await tokenOf(ISSUER, { preferred_username: 7 }, IN_TIME_S), named);
  assert.equal(nobody.admitted && nobody.principal, '');
});

test('another key, a changed token, no signature and no token are refused', async () => {
  const token = await tokenOf(ISSUER, ADA, IN_TIME_S);
  assert.equal(await isAdmitted(tokenOf(issuer(), ADA, IN_TIME_S)), false);
  const [header, , signature] = token.split('.');
  const claims = Buffer.from(JSON.stringify({ sub: 'eve', exp: IN_TIME_S })).toString('base64url');
  assert.equal(await isAdmitted(`${header}.${claims}.${signature}`), false);
  const none = Buffer.from('{"alg":"none"}').toString('base64url');
  assert.equal(await isAdmitted(`${none}.${claims}.`), false);
  for (const text of ['', 'x', 'a.b.c', '..', token.slice(0, -1), `${token}${'A'.repeat(20_000)}`]) {
    assert.equal(await isAdmitted(text), false, text.slice(0, 20));
  }
});

test('a public key is never taken for the secret of HS256', async () => {
  const secret = createSecretKey(Buffer.from(pemOf(ISSUER)));
  assert.equal(await isAdmitted(tokenOf({ alg: 'HS256', privateKey: secret }, ADA, IN_TIME_S)), false);
});

test('HS256 is for a secret that is pinned as one, long enough, and for nothing else', async () => {
  const bytes = Buffer.alloc(32, 7);
  const jwk = JSON.stringify({ kty: 'oct', k: bytes.toString('base64url') });
  const keys = pinnedKeys(jwk, null);
  assert.deepEqual(keys.algorithms, ['HS256']);
  const by = (alg: string) => tokenOf({ alg, privateKey: createSecretKey(bytes) }, ADA, IN_TIME_S);
  assert.equal(await isAdmitted(by('HS256'), { keys }), true);
  assert.equal(await isAdmitted(by('HS384'), { keys }), false);
  assert.throws(() => pinnedKeys(JSON.stringify({ kty: 'oct', k: 'c2hvcnQ' }), null), /less than 32 bytes/);
  assert.throws(() => pinnedKeys(jwk, ['RS256']), /none of the algorithms that are set/);
});

test('a key is for the algorithms of its kind, fewer where that is set', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'pem' });
  assert.deepEqual(pinnedKeys(String(rsa), ['RS256', 'ES256']).algorithms, ['RS256']);
  assert.deepEqual(pinnedKeys(pemOf(ISSUER), null).algorithms, ['ES256']);
  const jwk = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
  assert.deepEqual(pinnedKeys(JSON.stringify(jwk), null).algorithms, ['EdDSA', 'Ed25519']);
  assert.throws(() => pinnedKeys(JSON.stringify({ ...jwk, alg: 'RS256' }), null), /none of the algorithms/);
});

test('what is no key, too short or private is refused, and not repeated', () => {
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ type: 'spki', format: 'pem' });
  const pem = ISSUER.privateKey.export({ type: 'pkcs8', format: 'pem' });
  const jwk = ISSUER.privateKey.export({ format: 'jwk' });
  for (const [text, why] of [
    ['', /neither PEM nor a JWK/],
    ['hunter2', /^(?!.*hunter2).*neither PEM nor a JWK/],
    ['-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----', /no public key/],
    [String(weak), /less than 2048 bits/],
    [String(pem), /private key/],
    [JSON.stringify(jwk), /private key/],
    [JSON.stringify({ keys: [jwk] }), /not public/],
    [JSON.stringify({ keys: [{ kty: 'oct', k: 'AAAA' }] }), /not public/],
  ] as const) {
    assert.throws(() => pinnedKeys(text, null), why);
  }
});

test('publ and subs of a token bind it to what they list, and one alone allows nothing of the other', async () => {
  const permissionsOf = async (claims: object) => {
    const verdict = await show(await tokenOf(ISSUER, { ...ADA, ...claims }, IN_TIME_S));
    return verdict.admitted ? verdict.permissions : verdict.why;
  };
  assert.equal(await permissionsOf({}), undefined);
  assert.deepEqual(await permissionsOf({ publ: ['d/${clientid}', 'u/${username}/#'], subs: ['#'] }), {
    publish: ['d/c', 'u/ada/#'],
    subscribe: ['#'],
  });
  assert.deepEqual(await permissionsOf({ publ: ['a'] }), { publish: ['a'], subscribe: [] });
  assert.deepEqual(await permissionsOf({ subs: [] }), { publish: [], subscribe: [] });
  for (const publ of ['a', 7, null, [7], ['a/#/b'], ['${other}']]) {
    assert.equal(await permissionsOf({ publ }), 'publ or subs of the token is not a list of filters');
  }
});
