import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renewing } from '../../../functions/adapters/auth/renewing.js';
import type { Authenticator } from '../../../functions/ports/authenticator.js';

const CREDENTIALS = { clientId: 'c', password: undefined, peer: '127.0.0.1:1' };

/** Admits the one user that a text names, by texts that come one after another. */
function opened(first: string, renewsRefused = true) {
  const source = { text: first, renewed: first, renewals: 0 };
  const made: string[] = [];
  const problems: string[] = [];
  const make = (text: string): Authenticator => {
    made.push(text);
    if (text === 'bad') throw new Error('a bad text');
    return {
      authenticate: async ({ username }) =>
        username === text ? { admitted: true, principal: text } : { admitted: false, known: false },
      checkToken: async (token) => token === text,
    };
  };
  const authenticator = renewing({
    source: {
      read: async () => source.text,
      renew: async () => {
        source.renewals += 1;
        source.text = source.renewed;
        return source.text;
      },
    },
    make,
    renewsRefused,
    checksTokens: true,
    unusable: (error) => problems.push(String(error)),
  });
  const admits = async (username: string) => (await authenticator.authenticate({ ...CREDENTIALS, username })).admitted;
  return { source, made, problems, admits, authenticator };
}

test('an authenticator is made once for a text', async () => {
  const { admits, made, source } = opened('ada');
  assert.deepEqual([await admits('ada'), await admits('ada')], [true, true]);
  source.text = 'bob';
  assert.deepEqual([await admits('bob'), made], [true, ['ada', 'bob']]);
});

test('who is refused by an old text is admitted by the new one, at a handshake as well', async () => {
  for (const how of ['authenticate', 'checkToken'] as const) {
    const { admits, authenticator, source } = opened('ada');
    source.renewed = 'bob';
    assert.equal(how === 'authenticate' ? await admits('bob') : await authenticator.checkToken?.('bob'), true, how);
    assert.equal(source.renewals, 1);
  }
});

test('who is refused by the text of now is refused, and nobody else is asked about', async () => {
  const { admits, source } = opened('ada');
  assert.equal(await admits('eve'), false);
  assert.equal(await admits('ada'), true);
  assert.equal(source.renewals, 1);
  const { admits: settled, source: rules } = opened('ada', false);
  assert.equal(await settled('eve'), false);
  assert.equal(rules.renewals, 0);
});

test('a text that is no good is told once, and the one before it serves on', async () => {
  const { admits, problems, source } = opened('ada');
  assert.equal(await admits('ada'), true);
  source.text = 'bad';
  assert.deepEqual([await admits('ada'), await admits('ada')], [true, true]);
  assert.deepEqual(problems, ['Error: a bad text']);
});

test('without a good text nobody can be judged', async () => {
  const { admits, made } = opened('bad');
  await assert.rejects(admits('ada'), /a bad text/);
  await assert.rejects(admits('ada'), /a bad text/);
  assert.equal(made.length, 1);
});
