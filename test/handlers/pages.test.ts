import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { pagesOf } from '../../functions/handlers/pages.js';
import { StockClient } from '../support/clients.js';
import { Program } from '../support/program.js';

const program = await Program.start({ after });
const base = program.url.replace('ws:', 'http:');

const get = async (path: string, method = 'GET') => {
  const response = await fetch(new URL(path, base), { method });
  return [response.status, await response.text()];
};

test('a running program is alive and ready', async () => {
  assert.deepEqual(await get('/healthz'), [200, 'alive\n']);
  assert.deepEqual(await get('/readyz'), [200, 'ready\n']);
  assert.deepEqual(await get('/readyz?verbose', 'HEAD'), [200, '']);
});

test('nothing else is a page, and nothing is there to be written to', async () => {
  for (const [path, method] of [
    ['/', 'GET'],
    ['/healthz/', 'GET'],
    ['/healthz', 'POST'],
    ['/readyz', 'DELETE'],
  ] as const) {
    assert.equal((await get(path, method))[0], 404, `${method} ${path}`);
  }
  assert.equal((await get('/mqtt'))[0], 426);
});

test('who is not ready says why, and is alive', () => {
  let problem: string | null = 'the log cannot be reached';
  const facts = { version: '1.2.3', connections: 1, sessions: 2, subscriptions: 3, backlogAgeMs: 4, counters: {} };
  const pages = pagesOf(
    () => problem,
    () => facts,
  );
  assert.deepEqual(pages('/readyz'), { status: 503, text: 'not ready: the log cannot be reached\n' });
  assert.deepEqual(pages('/healthz'), { status: 200, text: 'alive\n' });
  problem = null;
  assert.equal(pages('/readyz')?.status, 200);
});

test('what is counted can be read by a monitor', async (t) => {
  const client = await StockClient.connect(t, program.url, 5);
  await client.subscribe('counted');
  await assert.rejects(client.subscribe('$share/+/b'));
  await client.publish('counted', 'x', { qos: 1 });
  await client.messages.take('it');
  const [status, text] = await get('/metrics');
  assert.equal(status, 200);
  for (const line of [
    /^# TYPE pulsegate_connections gauge$/m,
    /^pulsegate_connections 1$/m,
    /^pulsegate_backlog_age_ms \d+$/m,
    /^pulsegate_subscriptions 1$/m,
    /^pulsegate_subscriptions_refused_total 1$/m,
    /^pulsegate_publications_received_total 1$/m,
    /^pulsegate_publications_sent_total [1-9]\d*$/m,
    /^pulsegate_info\{version="\d+\.\d+\.\d+"\} 1$/m,
  ]) {
    assert.match(String(text), line);
  }
});
