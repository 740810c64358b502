import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filterProblem, hasWildcard, parseShared, topicNameProblem } from '../../functions/topics/names.js';

const LONGEST = 65_535;

for (const topic of ['a', '/', '//', 'a/b', ' ', '$SYS/x', '$share/g/a', 'a b/ü', 'a'.repeat(LONGEST)]) {
  test(`${shown(topic)} is a topic name`, () => assert.equal(topicNameProblem(topic), null));
}

const BAD_NAMES: readonly (readonly [topic: string, clause: string])[] = [
  ['', 'MQTT-4.7.3-1'],
  ['a/+', 'MQTT-4.7.1-1'],
  ['a+b', 'MQTT-4.7.1-1'],
  ['#', 'MQTT-4.7.1-1'],
  ['a\u0000b', 'MQTT-4.7.3-2'],
  ['a'.repeat(LONGEST + 1), 'MQTT-4.7.3-3'],
  ['ü'.repeat(32_768), 'MQTT-4.7.3-3'],
];
for (const [topic, clause] of BAD_NAMES) {
  test(`${shown(topic)} is refused as a topic name by ${clause}`, () => {
    assert.match(topicNameProblem(topic) ?? 'none', new RegExp(clause));
  });
}

const GOOD_FILTERS = [
  'a',
  '/',
  '#',
  '+',
  '+/+',
  'a/#',
  '/#',
  'a/+/b/#',
  '+/#',
  '//#',
  '$SYS/#',
  '$share',
  '$shared/+',
  '$share/g/a',
  '$share/g/#',
  '$share/g/+/b',
  '$share/g//',
  'ü'.repeat(32_767),
];
for (const filter of GOOD_FILTERS) {
  test(`${shown(filter)} is a topic filter`, () => assert.equal(filterProblem(filter), null));
}

const BAD_FILTERS: readonly (readonly [filter: string, clause: string])[] = [
  ['', 'MQTT-4.7.3-1'],
  ['a\u0000', 'MQTT-4.7.3-2'],
  ['a/'.repeat(32_768), 'MQTT-4.7.3-3'],
  ['#/a', 'MQTT-4.7.1-1'],
  ['#/', 'MQTT-4.7.1-1'],
  ['a/#/b', 'MQTT-4.7.1-1'],
  ['a#', 'MQTT-4.7.1-1'],
  ['a/b#', 'MQTT-4.7.1-1'],
  ['a/#b', 'MQTT-4.7.1-1'],
  ['a/##', 'MQTT-4.7.1-1'],
  ['a+', 'MQTT-4.7.1-2'],
  ['+a/b', 'MQTT-4.7.1-2'],
  ['a/b+/c', 'MQTT-4.7.1-2'],
  ['a/++', 'MQTT-4.7.1-2'],
  ['$share/', 'MQTT-4.8.2-1'],
  ['$share//a', 'MQTT-4.8.2-1'],
  ['$share/g', 'MQTT-4.8.2-2'],
  ['$share/g/', 'MQTT-4.8.2-2'],
  ['$share/+/a', 'MQTT-4.8.2-2'],
  ['$share/g#/a', 'MQTT-4.8.2-2'],
  ['$share/#', 'MQTT-4.8.2-2'],
  ['$share/g/a#', 'MQTT-4.7.1-1'],
  ['$share/g/a+', 'MQTT-4.7.1-2'],
];
for (const [filter, clause] of BAD_FILTERS) {
  test(`${shown(filter)} is refused as a topic filter by ${clause}`, () => {
    assert.match(filterProblem(filter) ?? 'none', new RegExp(clause));
  });
}

test('a shared subscription is taken apart into group and filter', () => {
  assert.deepEqual(parseShared('$share/g/a/+/b'), { group: 'g', filter: 'a/+/b' });
  assert.deepEqual(parseShared('$share/g//a'), { group: 'g', filter: '/a' });
  assert.deepEqual(parseShared('$share/g/#'), { group: 'g', filter: '#' });
});

test('what only looks like a shared subscription is none', () => {
  for (const filter of ['a', '$share', '$shared/g/a', '$SHARE/g/a', 'x/$share/g/a', '$share/g/', '$share//a']) {
    assert.equal(parseShared(filter), null, filter);
  }
});

test('a filter has a wildcard where it has a + or a #', () => {
  assert.equal(hasWildcard('a/+/b'), true);
  assert.equal(hasWildcard('a/#'), true);
  assert.equal(hasWildcard('a/b'), false);
});

function shown(text: string): string {
  return text.length > 20 ? `a text of ${text.length} characters` : JSON.stringify(text);
}
