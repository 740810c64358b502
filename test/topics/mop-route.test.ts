import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FIELD_MAX_BYTES } from '../../functions/mqtt/limits.js';
import { mopLocalName, mopTopicOf } from '../../functions/topics/mop-name.js';
import { mopRoute } from '../../functions/topics/mop-route.js';
import { topics } from './arbitrary-topics.js';
import { obeysTheLaws } from './route-laws.js';

const DEFAULT = 'persistent://public/default/';
const mop = mopRoute({ namespace: 'public/default' });
const legacy = mopRoute({ namespace: 'public/default', pattern: 'legacy/#' });

/** Names as MoP writes them: those of others are found by wildcards alone, as MoP finds them. */
const logTopics = [
  `${DEFAULT}%2Fa%2Fb`,
  `${DEFAULT}legacy%2Fa`,
  `${DEFAULT}persistent%3A%2F%2Ft%2Fn%2Fx`,
  `${DEFAULT}non-persistent%3A%2F%2Ft%2Fn%2Fx`,
  `${DEFAULT}a%2Bb`,
  `${DEFAULT}%2E.`,
  'persistent://acme/devices/cmd',
];
const isKept = (topic: string) => !topic.startsWith('non-persistent://');

/** A filter finds topics of another namespace only where it spells that out. */
function promises(filter: string, logTopic: string): boolean {
  const [, , tenant, namespace] = logTopic.split('/');
  return logTopic.startsWith(DEFAULT) || filter.startsWith(`persistent://${tenant}/${namespace}/`);
}

obeysTheLaws('mop', mop, { logTopics, takes: isKept, promises });
obeysTheLaws('mop with a pattern', legacy, {
  logTopics,
  takes: (topic) => topic === 'legacy' || topic.startsWith('legacy/'),
  promises,
});
obeysTheLaws('mop for full names', mopRoute({ namespace: 'public/default', pattern: 'persistent://#' }), {
  logTopics,
  takes: (topic) => topic.startsWith('persistent://') || topic === 'persistent:/',
  promises,
});

// From MoP's own tests (PulsarTopicUtilsTest).
for (const [topic, localName] of [
  ['/aaa/bbb/ccc', '%2Faaa%2Fbbb%2Fccc'],
  ['aaa/bbb/ccc/', 'aaa%2Fbbb%2Fccc%2F'],
  ['/aaa/bbb/ccc/', '%2Faaa%2Fbbb%2Fccc%2F'],
  ['persistent://public/default/aaa/bbb/ccc', 'aaa%2Fbbb%2Fccc'],
  ['persistent://public/default//aaa/bbb/ccc', '%2Faaa%2Fbbb%2Fccc'],
] as const) {
  test(`${topic} is kept where MoP keeps it`, () => {
    assert.deepEqual(mop.toLog(topic), { logTopic: DEFAULT + localName, key: topic });
  });
}

// What `java.net.URLEncoder.encode(topic, UTF_8)` gives.
for (const [topic, localName] of [
  ['abc.XYZ-019*_', 'abc.XYZ-019*_'],
  ['a b', 'a+b'],
  ['!"$%&\'(),:;<=>?@[]^`{|}~', '%21%22%24%25%26%27%28%29%2C%3A%3B%3C%3D%3E%3F%40%5B%5D%5E%60%7B%7C%7D%7E'],
  ['é€💡', '%C3%A9%E2%82%AC%F0%9F%92%A1'],
  ['\u0001\u007f\ufeff', '%01%7F%EF%BB%BF'],
  ['%2F', '%252F'],
] as const) {
  test(`${JSON.stringify(topic)} is encoded as by Java`, () => {
    assert.equal(mopLocalName(topic), localName);
    assert.equal(mopTopicOf(localName), topic);
  });
}

// Where it differs from MoP.
for (const [topic, localName] of [
  ['x-partition-0', 'x%2Dpartition-0'],
  ['x-partition-1-partition-22', 'x-partition-1%2Dpartition-22'],
  ['-partition-01', '%2Dpartition-01'],
  ['x-partition-', 'x-partition-'],
  ['x-partition-7a', 'x-partition-7a'],
  ['.', '%2E'],
  ['..', '%2E.'],
  ['...', '...'],
  ['__change_events', '%5F_change_events'],
  ['__change_events/a', '__change_events%2Fa'],
  ['__transaction_buffer_snapshot', '%5F_transaction_buffer_snapshot'],
  ['a-s__transaction_pending_ack', 'a-s%5F_transaction_pending_ack'],
] as const) {
  test(`${topic} is no name that Pulsar would misunderstand`, () => {
    assert.equal(mopLocalName(topic), localName);
    assert.equal(mop.toTopic(DEFAULT + localName, ''), topic);
  });
}

test('every topic that is not a full name has a local name that stands for it', () => {
  fc.assert(
    fc.property(topics, (topic) => {
      const localName = mopLocalName(topic) ?? '';
      assert.match(localName, /^(?:[\w.*+-]|%[0-9A-F]{2})+$/);
      assert.doesNotMatch(localName, /-partition-\d+$/);
      assert.equal(mopTopicOf(localName), topic);
    }),
    { numRuns: 3_000 },
  );
});

test('messages without a key, of MoP and of native producers, have the topic that their Pulsar topic is named after', () => {
  assert.equal(mop.toTopic(`${DEFAULT}%2Fa%2Fb`, ''), '/a/b');
  assert.equal(mop.toTopic(`${DEFAULT}my-topic`, 'order 7'), 'my-topic');
  assert.equal(mop.toTopic('persistent://acme/devices/a%2Fb', ''), 'persistent://acme/devices/a/b');
  assert.equal(mop.toTopic('persistent://acme/devices/a%2Fb', 'a/b'), 'persistent://acme/devices/a/b');
});

test('two MQTT topics with one Pulsar topic are told apart by the key', () => {
  assert.equal(mop.toTopic(`${DEFAULT}a`, 'a'), 'a');
  assert.equal(mop.toTopic(`${DEFAULT}a`, `${DEFAULT}a`), `${DEFAULT}a`);
  assert.equal(legacy.toTopic(`${DEFAULT}legacy%2Fa`, `${DEFAULT}legacy/a`), null);
});

test('a Pulsar topic named after a full name is not that other topic', () => {
  const logTopic = `${DEFAULT}persistent%3A%2F%2Ft%2Fn%2Fx`;
  assert.equal(mop.toTopic(logTopic, ''), `${DEFAULT}persistent://t/n/x`);
  assert.equal(mop.toLog('persistent://t/n/x')?.logTopic, 'persistent://t/n/x');
  assert.equal(mop.toLog(`${DEFAULT}persistent://t/n/x`)?.logTopic, logTopic);
});

test('what only begins like a full name is a topic like any other', () => {
  for (const topic of [
    'persistent://',
    'persistent://a',
    'persistent://a/b/',
    'persistent://../b/c',
    'persistent://é/b/c',
  ]) {
    assert.equal(mop.toLog(topic)?.logTopic, `${DEFAULT}${encodeURIComponent(topic)}`);
  }
});

test('topics that are not persistent are not taken', () => {
  assert.equal(mop.toLog('non-persistent://public/default/a'), null);
  assert.equal(mop.toTopic('non-persistent://public/default/a', ''), null);
  assert.deepEqual(mop.readings('non-persistent://public/default/a'), []);
  assert.deepEqual(mop.readings('non-persistent://public/default/#'), []);
});

test('names that stand for no topic have none', () => {
  for (const name of [
    'a%2',
    'a%ZZ',
    '%FF',
    '%2B',
    '%23',
    '%00',
    'a/b',
    '__change_events',
    'a-s__transaction_pending_ack',
    '',
  ]) {
    assert.equal(mop.toTopic(DEFAULT + name, ''), null, name);
    assert.equal(mop.describe(DEFAULT + name), null, name);
  }
  for (const name of ['mqtt', '', 'persistent://public/default', 'persistent://public']) {
    assert.equal(mop.toTopic(name, ''), null, name);
  }
});

test('an unpaired surrogate is no Unicode, and not taken', () => {
  assert.equal(mop.toLog('a\ud800'), null);
  assert.deepEqual(mop.readings('a\ud800'), []);
  assert.equal(mop.toTopic(`${DEFAULT}a`, '\ud800'), 'a');
});

test('the longest topic has a name, and what decodes to a longer one has no topic', () => {
  const longest = '~'.repeat(FIELD_MAX_BYTES);
  const place = mop.toLog(longest);
  assert.equal(place?.logTopic.length, DEFAULT.length + 3 * FIELD_MAX_BYTES);
  assert.equal(mop.toTopic(place.logTopic, ''), longest);
  assert.equal(mop.toTopic(`${place.logTopic}a`, ''), null);
});

test('an exact filter has one topic read, one with wildcards the namespaces that it can be about', () => {
  assert.deepEqual(mop.readings('/a/b'), [{ logTopic: `${DEFAULT}%2Fa%2Fb`, key: null }]);
  assert.deepEqual(mop.readings('persistent://t/n/a/b'), [{ logTopic: 'persistent://t/n/a%2Fb', key: null }]);
  assert.deepEqual(mop.readings('a/+'), [{ namespace: 'public/default' }]);
  assert.deepEqual(mop.readings('#'), [{ namespace: 'public/default' }]);
  assert.deepEqual(mop.readings('persistent://t/n/#'), [{ namespace: 't/n' }, { namespace: 'public/default' }]);
  assert.deepEqual(mop.readings(`${DEFAULT}a/+`), [{ namespace: 'public/default' }]);
  assert.deepEqual(legacy.readings('a/+'), []);
  assert.deepEqual(legacy.readings('persistent://t/n/#'), []);
});

test('a topic that another route names is left to it', () => {
  const name = 'persistent://acme/devices/cmd';
  const route = mopRoute({ namespace: 'acme/devices', reserved: new Set([name]) });
  for (const topic of ['cmd', name]) {
    assert.equal(route.toLog(topic), null);
    assert.deepEqual(route.readings(topic), []);
    assert.equal(route.toTopic(name, topic), null);
  }
  assert.equal(route.describe(name), null);
});
