import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FIELD_MAX_BYTES } from '../../functions/mqtt/limits.js';
import { parseTemplate, templatedRoute } from '../../functions/topics/templated-route.js';
import { obeysTheLaws } from './route-laws.js';

const LOG_TOPIC = 'persistent://acme/devices/cmd';
const commands = routeOf('devices/{id}/cmd');
const pairs = routeOf('{site}/x/{device}');

const logTopics = [LOG_TOPIC, 'mqtt'];
const isCommand = (topic: string) => /^devices\/[^/]*\/cmd$/.test(topic);
obeysTheLaws('templated', commands, { logTopics, takes: isCommand });
obeysTheLaws('templated with all levels variable', routeOf('{a}/{b}'), {
  logTopics,
  takes: (topic) => topic.split('/').length === 2,
});
obeysTheLaws('templated with variables apart', routeOf('{a}/cmd/{b}'), {
  logTopics,
  takes: (topic) => /^[^/]*\/cmd\/[^/]*$/.test(topic),
});
obeysTheLaws('templated without variables', routeOf('a/b'), { logTopics, takes: (topic) => topic === 'a/b' });

test('the key is what stands for the variable', () => {
  assert.deepEqual(commands.toLog('devices/7/cmd'), { logTopic: LOG_TOPIC, key: '7' });
  assert.equal(commands.toTopic(LOG_TOPIC, '7'), 'devices/7/cmd');
  assert.equal(commands.toLog('devices/7/8/cmd'), null);
  assert.equal(commands.toLog('devices/7'), null);
});

test('a variable may be empty', () => {
  assert.deepEqual(commands.toLog('devices//cmd'), { logTopic: LOG_TOPIC, key: '' });
  assert.equal(commands.toTopic(LOG_TOPIC, ''), 'devices//cmd');
  assert.deepEqual(routeOf('{a}/{b}').toLog('/'), { logTopic: LOG_TOPIC, key: '/' });
});

test('the values of several variables are joined by slashes', () => {
  assert.deepEqual(pairs.toLog('s/x/d'), { logTopic: LOG_TOPIC, key: 's/d' });
  assert.equal(pairs.toTopic(LOG_TOPIC, 's/d'), 's/x/d');
});

test('without variables the key is the topic', () => {
  assert.deepEqual(routeOf('a/b').toLog('a/b'), { logTopic: LOG_TOPIC, key: 'a/b' });
  assert.equal(routeOf('a/b').toTopic(LOG_TOPIC, 'a/c'), null);
});

test('a native key that does not fit the shape has no topic', () => {
  for (const key of ['7/8', '+', '#', 'a+', '\0', '7'.repeat(FIELD_MAX_BYTES)]) {
    assert.equal(commands.toTopic(LOG_TOPIC, key), null);
  }
  for (const key of ['', 's', 's/d/x']) assert.equal(pairs.toTopic(LOG_TOPIC, key), null);
  assert.equal(routeOf('{id}').toTopic(LOG_TOPIC, ''), null);
});

test('a filter that fixes every variable has one key read, whatever its wildcards', () => {
  for (const filter of ['devices/7/cmd', '+/7/cmd', 'devices/7/+', 'devices/7/#', '+/7/cmd/#']) {
    assert.deepEqual(commands.readings(filter), [{ logTopic: LOG_TOPIC, key: '7' }], filter);
  }
  for (const filter of ['#', 'devices/+/cmd', 'devices/#']) {
    assert.deepEqual(commands.readings(filter), [{ logTopic: LOG_TOPIC, key: null }], filter);
  }
});

test('a filter that no topic of the shape matches has nothing read', () => {
  for (const filter of ['devices/7', 'devices/7/state', 'rooms/#', '+/+', '$SYS/#']) {
    assert.deepEqual(commands.readings(filter), [], filter);
  }
});

for (const [text, said] of [
  ['devices/{id', /a variable is a whole level/],
  ['devices/x{id}/cmd', /has the level x\{id\}: a variable is a whole level/],
  ['devices/{}/cmd', /a variable is a whole level/],
  ['{id}/{id}', /has \{id\} twice/],
  ['devices/+/{id}', /wildcard/],
  ['', /it is empty/],
] as const) {
  test(`"${text}" is no template`, () => {
    const template = parseTemplate(text);
    assert.ok('problem' in template);
    assert.match(template.problem, said);
  });
}

function routeOf(text: string) {
  const template = parseTemplate(text);
  assert.ok('levels' in template);
  return templatedRoute(template, LOG_TOPIC);
}
