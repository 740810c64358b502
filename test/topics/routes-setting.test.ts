import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseRoutes } from '../../functions/topics/routes-setting.js';
import { topics } from './arbitrary-topics.js';
import { obeysTheLaws } from './route-laws.js';

const COMMANDS = 'persistent://acme/devices/cmd';
const EXAMPLE = `devices/{id}/cmd -> templated:${COMMANDS}, legacy/# -> mop:public/default, # -> keyed:mqtt?partitions=8`;

obeysTheLaws('the example', routesOf(EXAMPLE), {
  logTopics: [COMMANDS, 'mqtt', 'persistent://public/default/legacy%2Fa', 'persistent://public/default/mqtt'],
  takes: () => true,
});
obeysTheLaws(
  'mop behind routes with topics in its reach',
  routesOf(`a/{x} -> templated:${COMMANDS}, # -> mop:acme/devices`),
  {
    logTopics: [COMMANDS, 'persistent://acme/devices/legacy%2Fa'],
    takes: (topic) => !['cmd', COMMANDS].includes(topic) && !topic.startsWith('non-persistent://'),
    promises: (filter, logTopic) => {
      const [, , tenant, namespace] = logTopic.split('/');
      const isOwn = logTopic.startsWith('persistent://acme/devices/');
      return isOwn || filter.startsWith(`persistent://${tenant}/${namespace}/`);
    },
  },
);

test('the first route that takes a topic has it', () => {
  const routes = routesOf(EXAMPLE);
  assert.deepEqual(routes.toLog('devices/7/cmd'), { logTopic: COMMANDS, key: '7' });
  assert.deepEqual(routes.toLog('legacy/a'), { logTopic: 'persistent://public/default/legacy%2Fa', key: 'legacy/a' });
  assert.deepEqual(routes.toLog('devices/7/state'), { logTopic: 'mqtt', key: 'devices/7/state' });
});

test('a topic that no route takes has no place', () => {
  assert.equal(routesOf('factory/# -> keyed:factory').toLog('office'), null);
});

test('options are told of the topic of the log', () => {
  const routes = routesOf(
    'a/# -> keyed:a?partitions=8&make=no&generation=3, b/{x} -> templated:b?make=yes, mop:t/n?generation=1',
  );
  assert.deepEqual(routes.describe('a'), { mayBeMade: false, partitions: 8, generation: 3 });
  assert.deepEqual(routes.describe('b'), { mayBeMade: true, partitions: null, generation: 0 });
  assert.deepEqual(routes.describe('persistent://t/n/c'), { mayBeMade: true, partitions: null, generation: 1 });
});

test('keyed and mop take everything unless told otherwise', () => {
  assert.equal(routesOf('keyed:m').toLog('$SYS/x')?.logTopic, 'm');
  assert.equal(routesOf('mop:t/n').toLog('$SYS/x')?.logTopic, 'persistent://t/n/%24SYS%2Fx');
});

test('in a list, entries and their topics may hold commas and arrows', () => {
  const routes = routesOf(['a,b/# -> keyed:a', 'x -> y -> keyed:b']);
  assert.equal(routes.toLog('a,b/c')?.logTopic, 'a');
  assert.equal(routes.toLog('x -> y')?.logTopic, 'b');
});

for (const [setting, said] of [
  ['', /there is no route: valid is # -> keyed:mqtt/],
  ['a', /"a" is no route: valid is TOPICS -> keyed:TOPIC/],
  ['keyed:a,', /"" is no route/],
  ['# -> bucket:a', /has the kind bucket: valid is/],
  ['a/#/b -> keyed:a', /"a\/#\/b -> keyed:a" takes a\/#\/b, which is no topic filter: # is not the last level/],
  ['$share/g/a -> keyed:a', /a route takes topics, not shares/],
  ['a/{id} -> keyed:a', /only a templated route has variables/],
  ['a/x{id} -> templated:a', /names a\/x\{id\}, which has the level x\{id\}: a variable is a whole level/],
  ['templated:a', /names no topics: a templated route needs them/],
  ['keyed:', /writes to "", which is no topic of Pulsar: valid is/],
  ['keyed:a/b', /writes to "a\/b", which is no topic of Pulsar/],
  ['keyed:persistent://a/b', /is no topic of Pulsar/],
  ['keyed:persistent://a/b/c/d', /is no topic of Pulsar/],
  ['keyed:persistent://a é/b/c', /is no topic of Pulsar/],
  ['keyed:persistent://a/../c', /is no topic of Pulsar/],
  ['keyed:..', /is no topic of Pulsar/],
  ['keyed:non-persistent://a/b/c', /is not persistent/],
  ['keyed:a-partition-3', /is the name of a partition/],
  ['keyed:persistent://a/b/c-partition-0', /is the name of a partition/],
  ['mop:public', /writes to "public", which is no namespace of Pulsar: valid is tenant\/namespace/],
  ['mop:a/b/c', /is no namespace/],
  ['mop:../b', /is no namespace/],
  ['keyed:a?partitions=0', /has the option partitions=0: valid are partitions from 1 to 1000, make=yes or make=no/],
  ['keyed:a?partitions=1.5', /has the option partitions=1.5/],
  ['keyed:a?make=maybe', /has the option make=maybe/],
  ['keyed:a?', /has the option : valid are/],
  ['keyed:a?color=red', /has the option color=red/],
  ['keyed:a?make=no&make=no', /has the option make twice/],
  ['mop:a/b?partitions=2', /has the option partitions: what mop writes to one topic has one key/],
] as const) {
  test(`"${setting}" is refused, with what is valid`, () => {
    const [problem, ...more] = problemsOf(setting);
    assert.match(problem ?? '', said);
    if (setting !== 'keyed:a,') assert.deepEqual(more, []);
  });
}

test('all problems are told at once', () => {
  assert.equal(problemsOf('keyed:a/b, x, mop:y').length, 3);
});

for (const [setting, said] of [
  ['a/{x} -> templated:l, b/{x} -> templated:l', /write to l with keys that cannot be told apart/],
  ['a/{x} -> templated:l, b/+ -> keyed:m, b/# -> keyed:l', /cannot be told apart/],
  ['c/d -> templated:l, a/{x}/{y} -> templated:l', /cannot be told apart/],
  ['a/# -> keyed:l?partitions=2, b/# -> keyed:l', /say different options of it/],
  ['a/# -> keyed:l, b/# -> keyed:persistent://public/default/l', /name one topic of Pulsar in two ways/],
  ['persistent://# -> mop:a/b, # -> mop:c/d', /both reach the topics of c\/d: put the second one first/],
] as const) {
  test(`${setting} cannot be reversed`, () => {
    const [problem] = problemsOf(setting);
    assert.match(problem ?? '', said);
    assert.match(problem ?? '', /^"[^"]+" and "[^"]+" /);
  });
}

const left = [
  '#',
  'a/#',
  '+/b',
  'a',
  'devices/{id}/cmd',
  'a/{x}',
  '{x}/{y}',
  '{x}',
  'a/b',
  'persistent://#',
  'persistent:/{b}/{c}/{d}/{e}',
];
const right = [
  'keyed:l',
  'keyed:m',
  `keyed:${COMMANDS}`,
  'templated:l',
  `templated:${COMMANDS}`,
  'mop:public/default',
  'mop:acme/devices',
];
const entry = fc.tuple(fc.constantFrom(...left), fc.constantFrom(...right)).map((parts) => parts.join(' -> '));

test('every list that is accepted is reversible', (context) => {
  let accepted = 0;
  fc.assert(
    fc.property(fc.array(entry, { minLength: 1, maxLength: 3 }), fc.array(topics, { minLength: 20 }), (list, some) => {
      const parsed = parseRoutes(list);
      if ('problems' in parsed) return;
      accepted += 1;
      for (const topic of [...some, 'l', 'cmd', COMMANDS, 'a/b', 'b', 'a']) {
        const place = parsed.routes.toLog(topic);
        if (place !== null) assert.equal(parsed.routes.toTopic(place.logTopic, place.key), topic, list.join(', '));
      }
    }),
    { numRuns: 5_000 },
  );
  context.diagnostic(`${accepted} of 5000 lists were accepted`);
  assert.ok(accepted > 500);
});

function routesOf(setting: string | readonly string[]) {
  const parsed = parseRoutes(setting);
  assert.ok('routes' in parsed, JSON.stringify(parsed));
  return parsed.routes;
}

function problemsOf(setting: string | readonly string[]): readonly string[] {
  const parsed = parseRoutes(setting);
  return 'problems' in parsed ? parsed.problems : [];
}
