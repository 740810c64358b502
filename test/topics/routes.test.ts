import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyedRoute, type Route, Routes } from '../../functions/topics/routes.js';

/** Takes what begins with `prefix` to a log topic of that name. */
function prefixRoute(prefix: string, readings: Route['readings']): Route {
  return {
    toLog: (topic) =>
      topic.startsWith(`${prefix}/`) ? { logTopic: prefix, key: topic.slice(prefix.length + 1) } : null,
    toTopic: (logTopic, key) => (logTopic === prefix ? `${prefix}/${key}` : null),
    readings,
    describe: () => null,
    named: [],
    topicsOf: () => [],
  };
}

test('the keyed route takes every topic to one log topic, with the topic as key, and back', () => {
  const route = keyedRoute('all');
  for (const topic of ['a', '/a/b', '$SYS/x', 'persistent://t/n/x']) {
    assert.deepEqual(route.toLog(topic), { logTopic: 'all', key: topic });
    assert.equal(route.toTopic('all', topic), topic);
  }
  assert.deepEqual(route.readings('a/+'), [{ logTopic: 'all', key: null }]);
  assert.deepEqual(route.readings('a/b'), [{ logTopic: 'all', key: 'a/b' }]);
});

test('the keyed route writes to mqtt unless told otherwise', () => {
  assert.equal(keyedRoute().toLog('a')?.logTopic, 'mqtt');
  assert.equal(new Routes().toLog('a')?.logTopic, 'mqtt');
});

test('the keyed route places no topic that is none', () => {
  for (const topic of ['', 'a/+', '#', 'a\u0000']) assert.equal(keyedRoute().toLog(topic), null);
});

test('a native record whose key is not a topic name has no topic', () => {
  for (const key of ['', 'a/+', '#', 'a\u0000']) assert.equal(keyedRoute().toTopic('mqtt', key), null);
});

test('a record of another log topic is not the keyed route’s', () => {
  assert.equal(keyedRoute('mqtt').toTopic('other', 'a'), null);
});

test('the first route that takes a topic or a record decides', () => {
  const routes = new Routes([
    prefixRoute('x', () => [{ logTopic: 'x', key: null }]),
    prefixRoute('x/y', () => [{ logTopic: 'x/y', key: null }]),
    keyedRoute(),
  ]);
  assert.deepEqual(routes.toLog('x/y/z'), { logTopic: 'x', key: 'y/z' });
  assert.deepEqual(routes.toLog('y'), { logTopic: 'mqtt', key: 'y' });
  assert.equal(routes.toTopic('x', '1'), 'x/1');
  assert.equal(routes.toTopic('mqtt', 'x/1'), 'x/1');
});

test('what no route takes has no place, and no topic', () => {
  const routes = new Routes([prefixRoute('x', () => [{ logTopic: 'x', key: null }])]);
  assert.equal(routes.toLog('y'), null);
  assert.equal(routes.toTopic('y', '1'), null);
});

test('what is to be read for a filter is what all routes say', () => {
  const routes = new Routes([prefixRoute('x', (filter) => [{ logTopic: 'x', key: filter }]), keyedRoute('mqtt')]);
  assert.deepEqual(routes.readings('f/#'), [
    { logTopic: 'x', key: 'f/#' },
    { logTopic: 'mqtt', key: null },
  ]);
});
