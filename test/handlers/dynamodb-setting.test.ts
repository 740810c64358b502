import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDynamoSetting } from '../../functions/handlers/dynamodb-setting.js';

test('without anything the defaults hold, and the region is the environment’s', () => {
  const defaults = { prefix: 'pulsegate', region: null, endpoint: null, make: false };
  assert.deepEqual(readDynamoSetting('dynamodb:'), defaults);
  assert.deepEqual(readDynamoSetting('dynamodb:?'), defaults);
  assert.deepEqual(readDynamoSetting('dynamodb:?make=no'), defaults);
});

test('every part is read, in any order, as it is or encoded', () => {
  const all = { prefix: 'a-b', region: 'us-gov-west-1', endpoint: 'http://127.0.0.1:8000', make: true };
  assert.deepEqual(
    readDynamoSetting('dynamodb:?prefix=a-b&region=us-gov-west-1&endpoint=http://127.0.0.1:8000&make=yes'),
    all,
  );
  assert.deepEqual(
    readDynamoSetting('dynamodb:?make=yes&endpoint=http%3A%2F%2F127.0.0.1%3A8000&region=us-gov-west-1&prefix=a-b'),
    all,
  );
});

test('what is wrong is named with what is valid', () => {
  const cases: [value: string, said: RegExp][] = [
    ['dynamodb', /^valid: dynamodb:\?prefix=P/],
    ['dynamodb://table', /^valid: /],
    ['dynamodb:?table=x', /no "table"; valid: dynamodb:/],
    ['dynamodb:?constructor=x', /no "constructor"/],
    ['dynamodb:?prefix=a&prefix=b', /prefix stands twice/],
    ['dynamodb:?prefix=', /prefix is ""; valid: 1 to 200 letters/],
    ['dynamodb:?prefix=a/b', /prefix is "a\/b"/],
    [`dynamodb:?prefix=${'x'.repeat(201)}`, /prefix is/],
    ['dynamodb:?region=Frankfurt', /region is "Frankfurt"; valid: a region of AWS/],
    ['dynamodb:?region=evil.example/', /region is/],
    ['dynamodb:?endpoint=127.0.0.1:8000', /endpoint is "127.0.0.1:8000"; valid: an http or https URL/],
    ['dynamodb:?endpoint=http://h/path', /endpoint is/],
    ['dynamodb:?endpoint=http:h', /endpoint is/],
    ['dynamodb:?make=true', /make is "true"; valid: yes or no/],
  ];
  for (const [value, said] of cases) {
    const answer = readDynamoSetting(value);
    assert.equal(typeof answer, 'string', value);
    assert.match(answer as string, said, value);
  }
});

test('a password in an endpoint is refused and not repeated', () => {
  const answer = readDynamoSetting('dynamodb:?endpoint=http://user:secret@h');
  assert.match(String(answer), /endpoint is "http:\/\/…@h"/);
});
