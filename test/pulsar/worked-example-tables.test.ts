import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { findingsOf } from '../../functions/adapters/pulsar/policies.js';
import { SETTINGS } from '../../functions/handlers/setting-list.js';
import { parseRoutes } from '../../functions/topics/routes-setting.js';

const PAGE = readFileSync('docs/PULSAR.md', 'utf8');
const NONE = '–';
/** What takes from every feature there is. */
const BAD = { message_ttl_in_seconds: 1, backlog_quota_map: { a: { policy: 'consumer_backlog_eviction' } } };

describe('docs/PULSAR.md', () => {
  test('says where the routes of its example keep MQTT topics', () => {
    const routes = routesOf(exampleRoutes());
    for (const [topic, logTopic, key] of table('to Pulsar')) {
      assert.deepEqual(routes.toLog(topic as string), { logTopic, key: key === NONE ? '' : key }, topic);
    }
  });

  test('says on which MQTT topics the routes of its example deliver', () => {
    const routes = routesOf(exampleRoutes());
    for (const [logTopic, key, topic] of table('from Pulsar')) {
      const found = routes.toTopic(logTopic as string, key === NONE ? '' : (key as string));
      assert.equal(found, topic === NONE ? null : topic, `${logTopic} ${key}`);
    }
  });

  test('says what the names of MoP are, and how they are read', () => {
    const routes = routesOf('# -> mop:public/default');
    for (const [topic, logTopic] of table('mop')) {
      assert.deepEqual(routes.toLog(topic as string), { logTopic, key: topic });
      assert.equal(routes.toTopic(logTopic as string, topic as string), topic);
      const withoutKey = routes.toTopic(logTopic as string, '');
      const short = (topic as string).replace(/^persistent:\/\/public\/default\//, '');
      assert.equal(withoutKey, short);
    }
  });

  test('names every setting, finding about policies and event of Pulsar', () => {
    const settings = SETTINGS.map(({ setting }) => setting).filter((setting) => /PULSAR|_LOG$/.test(setting));
    const findings = findingsOf('t/n', BAD, { allowAutoTopicCreation: 'false' }).map(({ code }) => code);
    assert.equal(findings.length, 5);
    const events = eventsIn('functions/adapters/pulsar');
    assert.ok(events.length >= 8);
    const missing = [...settings, ...findings, ...events].filter((name) => !PAGE.includes(`\`${name}\``));
    assert.deepEqual(missing, []);
  });

  test('links to headings and pages that are there', () => {
    const headings = [...PAGE.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading);
    const anchors = headings.map((heading) => `#${heading.toLowerCase().replaceAll(' ', '-').replaceAll("'", '')}`);
    const pages = readdirSync('docs');
    const links = [...PAGE.matchAll(/\]\(([^)]*)\)/g)].map(([, link = '']) => link);
    assert.ok(links.length > 5);
    assert.deepEqual(
      links.filter((link) => !(link.startsWith('#') ? anchors : pages).includes(link)),
      [],
    );
  });
});

function exampleRoutes(): string {
  return /^PULSEGATE_ROUTES="(.*)"$/m.exec(PAGE)?.[1] ?? '';
}

function routesOf(setting: string) {
  const parsed = parseRoutes(setting);
  if ('problems' in parsed) assert.fail(parsed.problems.join('\n'));
  return parsed.routes;
}

/** The cells of the rows below a comment, without what quotes them. */
function table(name: string): string[][] {
  const [, text = ''] = new RegExp(`^<!-- ${name} -->\\n\\|.*\\n\\|.*\\n((?:\\|.*\\n)+)`, 'm').exec(PAGE) ?? [];
  assert.notEqual(text, '', name);
  const rows = text.trim().split('\n');
  return rows.map((row) => [...row.matchAll(/ (?:`([^`]*)`|(–)) (?=\|)/g)].map(([, cell, none]) => cell ?? none ?? ''));
}

/** What the adapter tells. */
function eventsIn(directory: string): string[] {
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const text = files.map((file) => readFileSync(join(directory, file), 'utf8')).join('\n');
  return [...new Set([...text.matchAll(/tell\((?:'\w+'|level), '([\w-]+)'/g)].map(([, event = '']) => event))];
}
