import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cachedSecrets } from '../../../functions/adapters/secrets/cached.js';
import { PortError, type PortErrorCode } from '../../../functions/ports/errors.js';

const MAX_AGE_MS = 60_000;
const PAUSE_MS = 5_000;

/** What is kept elsewhere, or how it fails, and a clock. */
function opened(text: string) {
  const there: { text: string; failure: PortErrorCode | null; asked: string[] } = { text, failure: null, asked: [] };
  let nowMs = 0;
  const fetch = async (name: string) => {
    there.asked.push(name);
    if (there.failure !== null) throw new PortError(there.failure, 'no');
    return there.text;
  };
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return { there, pass, secrets: cachedSecrets({ fetch, maxAgeMs: MAX_AGE_MS, now: () => nowMs }) };
}

test('a secret is read once, whoever wants it and whichever field, until its time is over', async () => {
  const { secrets, there, pass } = opened('{"a":"1","b":"2"}');
  const read = () => Promise.all(['s#a', 's#b', 's'].map((name) => secrets.read(name)));
  assert.deepEqual(await read(), ['1', '2', '{"a":"1","b":"2"}']);
  there.text = '{"a":"3","b":"4"}';
  pass(MAX_AGE_MS - 1);
  assert.equal(await secrets.read('s#a'), '1');
  pass(1);
  assert.deepEqual((await read()).slice(0, 2), ['3', '4']);
  assert.deepEqual(there.asked, ['s', 's']);
});

test('one that was not taken is read anew, but not for everybody who is turned away', async () => {
  const { secrets, there, pass } = opened('old');
  assert.equal(await secrets.read('s'), 'old');
  there.text = 'new';
  assert.equal(await secrets.renew('s'), 'old');
  pass(PAUSE_MS);
  assert.deepEqual(await Promise.all([secrets.renew('s'), secrets.renew('s'), secrets.read('s')]), [
    'new',
    'new',
    'new',
  ]);
  for (let i = 0; i < 5; i += 1) await secrets.renew('s');
  assert.equal(there.asked.length, 2);
});

test('an answer that takes its time is waited for, not asked for again', async () => {
  let nowMs = 0;
  let asked = 0;
  let answer: (text: string) => void = () => {};
  const fetch = () => {
    asked += 1;
    return new Promise<string>((resolve) => {
      answer = resolve;
    });
  };
  const secrets = cachedSecrets({ fetch, maxAgeMs: MAX_AGE_MS, now: () => nowMs });
  const first = secrets.read('s');
  nowMs += PAUSE_MS * 2;
  const second = secrets.read('s');
  answer('slow');
  assert.deepEqual([await first, await second, asked], ['slow', 'slow', 1]);
});

test('a clock that is put back makes nothing last longer', async () => {
  const { secrets, there, pass } = opened('old');
  pass(10 * MAX_AGE_MS);
  await secrets.read('s');
  there.text = 'new';
  pass(-5 * MAX_AGE_MS);
  assert.equal(await secrets.read('s'), 'new');
});

test('what was read serves on while nobody answers, who is asked again after pauses', async () => {
  const { secrets, there, pass } = opened('known');
  await secrets.read('s');
  there.failure = 'unavailable';
  pass(MAX_AGE_MS * 100);
  for (let i = 0; i < 5; i += 1) assert.equal(await secrets.read('s'), 'known');
  assert.equal(there.asked.length, 2);
  pass(PAUSE_MS);
  there.failure = null;
  there.text = 'new';
  assert.equal(await secrets.read('s'), 'new');
});

test('what was never read cannot be had while nobody answers, and can be once somebody does', async () => {
  const { secrets, there, pass } = opened('x');
  there.failure = 'unavailable';
  for (let i = 0; i < 5; i += 1) await assert.rejects(secrets.read('s'), { code: 'unavailable' });
  assert.equal(there.asked.length, 1);
  pass(PAUSE_MS);
  there.failure = null;
  assert.equal(await secrets.read('s'), 'x');
});

test('what is refused from now on is not used on', async () => {
  const { secrets, there, pass } = opened('x');
  await secrets.read('s');
  there.failure = 'refused';
  pass(MAX_AGE_MS);
  await assert.rejects(secrets.read('s'), { code: 'refused' });
  pass(1);
  await assert.rejects(secrets.read('s'), { code: 'refused' });
});

for (const text of ['no JSON', 'null', '[]', '{"a":7}', '{}', '"text"']) {
  test(`a secret that is ${text} has no field a, and is not repeated`, async () => {
    const { secrets } = opened(text);
    await assert.rejects(secrets.read('s#a'), (error: PortError) => {
      return error.code === 'refused' && error.message === 'the secret s#a has no text of that name';
    });
  });
}
