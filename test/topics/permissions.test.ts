// biome-ignore-all lint/suspicious/noTemplateCurlyInString: rules have placeholders that look like it
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { filterProblem } from '../../functions/topics/names.js';
import { filledFilters, mayPublish, maySubscribe, ruleProblem } from '../../functions/topics/permissions.js';

const HOLDER = { clientId: 'pump-7', username: 'ada' };

test('a topic may be published to where a filter matches it', () => {
  const permissions = { publish: ['a/+', 'b'], subscribe: ['#'] };
  assert.deepEqual(
    ['a/x', 'b', 'a', 'a/x/y', 'c'].map((topic) => mayPublish(permissions, topic)),
    [true, true, false, false, false],
  );
});

test('a filter may be subscribed to where one covers it, a shared one by what it shares', () => {
  const allowed = ['a/#', 'b/+'];
  for (const filter of ['a', 'a/+/c', 'b/x', '$share/g/a/#', '$share/a/b/+']) {
    assert.equal(maySubscribe(allowed, filter), true, filter);
  }
  for (const filter of ['#', '+/x', 'b/#', '$share/a/c', '$share/g/#', '$share/a', '$share/a/', 'a/#/b', '']) {
    assert.equal(maySubscribe(allowed, filter), false, filter);
  }
  assert.equal(maySubscribe([], 'a'), false);
});

test('names stand in for placeholders, as pieces of one level', () => {
  const filters = ['d/${clientid}/#', 'u-${username}', '${username}/${clientid}', 'all'];
  assert.deepEqual(filledFilters(filters, HOLDER), ['d/pump-7/#', 'u-ada', 'ada/pump-7', 'all']);
});

for (const name of ['', '+', '#', 'a/b', 'a+', '$SYS', '$share', 'a\0']) {
  test(`a client that is named ${JSON.stringify(name)} gets nothing by its name`, () => {
    assert.deepEqual(filledFilters(['d/${clientid}/#', 'all'], { ...HOLDER, clientId: name }), ['all']);
    assert.deepEqual(filledFilters(['${username}/#', 'all'], { ...HOLDER, username: name }), ['all']);
  });
}

test('a name that reads like a placeholder is not filled in again', () => {
  const holder = { clientId: 'x${username}', username: 'ada' };
  assert.deepEqual(filledFilters(['d/${clientid}'], holder), ['d/x${username}']);
});

test('whatever a client is named, it is one level of a filter that is well-formed', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (clientId, username) => {
      for (const filter of filledFilters(['d/${clientid}/+/${username}-x/#'], { clientId, username })) {
        assert.equal(filterProblem(filter), null);
        assert.equal(filter.split('/').length, 5);
        assert.equal(filter.split('/').filter((level) => /[+#]/.test(level)).length, 2);
      }
    }),
  );
});

test('a rule names no other placeholder, no share and no filter that is malformed', () => {
  for (const filter of ['#', 'a/${clientid}/+', '${username}', '$SYS/#'])
    assert.equal(ruleProblem(filter), null, filter);
  for (const filter of ['', 'a/#/b', 'a+', '${topic}', '${}', '$share/g/a', '+${clientid}']) {
    assert.notEqual(ruleProblem(filter), null, filter);
  }
});
