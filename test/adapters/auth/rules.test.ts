// biome-ignore-all lint/suspicious/noTemplateCurlyInString: rules have placeholders that look like it
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { anonymous } from '../../../functions/adapters/auth/anonymous.js';
import { parseRules, withRules } from '../../../functions/adapters/auth/rules.js';
import type { Admission, Authenticator } from '../../../functions/ports/authenticator.js';

const RULES = [
  { publish: ['d/${clientid}/#'], subscribe: ['d/${clientid}/#', 'news'] },
  { users: ['ada', 'bob'], subscribe: ['u/${username}', 'news'] },
  { users: ['root'], publish: ['#'], subscribe: ['#', '$SYS/#'] },
];

function whoIs(admission: Admission): Authenticator {
  return { authenticate: async () => ({ admitted: true, ...admission }) };
}

async function permissionsOf(authenticator: Authenticator) {
  const credentials = { clientId: 'c', username: 'root', password: undefined, peer: '127.0.0.1:1' };
  const verdict = await withRules(authenticator, parseRules(RULES)).authenticate(credentials);
  return verdict.admitted ? verdict.permissions : null;
}

test('a client gets what is for everybody and what is for its user, once', async () => {
  assert.deepEqual(await permissionsOf(whoIs({ principal: 'ada' })), {
    publish: ['d/c/#'],
    subscribe: ['d/c/#', 'news', 'u/ada'],
  });
  assert.deepEqual(await permissionsOf(whoIs({ principal: 'root' })), {
    publish: ['d/c/#', '#'],
    subscribe: ['d/c/#', 'news', '#', '$SYS/#'],
  });
});

test('a name that nobody proved gets what is for everybody only', async () => {
  assert.deepEqual(await permissionsOf(anonymous), { publish: ['d/c/#'], subscribe: ['d/c/#', 'news'] });
});

test('what a token allows itself comes on top', async () => {
  const permissions = { publish: ['t'], subscribe: [] };
  assert.deepEqual(await permissionsOf(whoIs({ principal: 'x', permissions })), {
    publish: ['d/c/#', 't'],
    subscribe: ['d/c/#', 'news'],
  });
});

test('rules admit nobody', async () => {
  const refuses: Authenticator = { authenticate: async () => ({ admitted: false, known: true }) };
  assert.equal(await permissionsOf(refuses), null);
});

for (const [content, why] of [
  [null, /not a list of rules/],
  [{}, /not a list of rules/],
  [[], /not a list of rules/],
  [[7], /rule 1 allows nothing/],
  [[{ users: ['a'] }], /rule 1 allows nothing/],
  [[{ publish: ['a'] }, { publsh: ['a'], publish: ['a'] }], /rule 2 has publsh, which means nothing/],
  [[{ publish: 'a' }], /rule 1 has publish that are not a list of texts/],
  [[{ users: [7], publish: ['a'] }], /rule 1 has users that are not a list of texts/],
  [[{ subscribe: ['a/#/b'] }], /rule 1 has "a\/#\/b" in subscribe: # is not the last level/],
  [[{ subscribe: ['$share/g/a'] }], /by its filter alone/],
  [[{ publish: ['${user}'] }], /neither \$\{clientid\} nor \$\{username\}/],
  [[{ users: ['a'], publish: ['x'.repeat(20_000)] }, { publish: ['y'.repeat(20_000)] }], /a gets filters of more than/],
] as const) {
  test(`rules are refused: ${why.source}, of ${JSON.stringify(content).slice(0, 50)}`, () => {
    assert.throws(() => parseRules(content), why);
  });
}

test('the rules that docs/SECURITY.md shows are rules', () => {
  const shown = /```yaml\n(.*?)```/s.exec(readFileSync('docs/SECURITY.md', 'utf8'))?.[1] ?? '';
  assert.equal(parseRules(parse(shown)).length, 3);
});
