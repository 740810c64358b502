import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyedRoute } from '../../functions/topics/routes.js';
import { obeysTheLaws } from './route-laws.js';

const factory = keyedRoute('factory', 'factory/#');

obeysTheLaws('keyed', keyedRoute(), { logTopics: ['mqtt', 'other', ''], takes: () => true });
obeysTheLaws('keyed with a pattern', keyedRoute('f', '+/cmd/#'), {
  logTopics: ['f', 'mqtt'],
  takes: (topic) => topic.split('/')[1] === 'cmd',
});

test('a pattern limits what the keyed route takes, from devices and from native producers', () => {
  assert.deepEqual(factory.toLog('factory/1'), { logTopic: 'factory', key: 'factory/1' });
  assert.deepEqual(factory.toLog('factory'), { logTopic: 'factory', key: 'factory' });
  assert.equal(factory.toLog('office/1'), null);
  assert.equal(factory.toTopic('factory', 'office/1'), null);
});

test('a filter that the pattern has nothing for has nothing read', () => {
  assert.deepEqual(factory.readings('office/+'), []);
  assert.deepEqual(factory.readings('office/1'), []);
  assert.deepEqual(factory.readings('+/1'), [{ logTopic: 'factory', key: null }]);
  assert.deepEqual(factory.readings('factory/1'), [{ logTopic: 'factory', key: 'factory/1' }]);
});

test('the keyed route says of its log topic what it was told', () => {
  const description = { mayBeMade: false, partitions: 8, generation: 2 };
  assert.deepEqual(keyedRoute('m', '#', description).describe('m'), description);
  assert.equal(keyedRoute('m', '#', description).describe('n'), null);
});
