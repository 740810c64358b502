import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { healthPages } from '../../functions/handlers/health.js';
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
  const pages = healthPages(() => problem);
  assert.deepEqual(pages('/readyz'), { status: 503, text: 'not ready: the log cannot be reached\n' });
  assert.deepEqual(pages('/healthz'), { status: 200, text: 'alive\n' });
  problem = null;
  assert.equal(pages('/readyz')?.status, 200);
});
