import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { StockClient } from '../support/clients.js';
import { Program } from '../support/program.js';
import { within } from '../support/waiting.js';

const program = await Program.start({ after });
const page = (name: string) => new URL(name, program.url.replace('ws:', 'http:')).href;

test('the health check passes while the program lives', () => {
  const check = (url: string) => spawnSync(process.execPath, ['infra/container/health.mjs', url]).status;
  assert.equal(check(page('/healthz')), 0);
  assert.equal(check(page('/nothing')), 1);
  assert.notEqual(check('http://127.0.0.1:1/healthz'), 0);
});

test('connections and the age of the backlog are told as metrics, in one line', async (t) => {
  await StockClient.connect(t, program.url, 5);
  const line = JSON.parse(await firstLine(t, page('/metrics')));
  assert.equal(line.Connections, 1);
  assert.equal(line.BacklogAge, 0);
  assert.equal(line.deployment, 'a-test');
  const [{ Namespace, Dimensions, Metrics }] = line._aws.CloudWatchMetrics;
  assert.deepEqual([Namespace, Dimensions], ['Pulsegate', [['deployment']]]);
  for (const { Name } of Metrics) assert.equal(typeof line[Name], 'number');
  assert.ok(Math.abs(line._aws.Timestamp - Date.now()) < 60_000);
});

test('the image has the program, its health check and what tells metrics', () => {
  const text = readFileSync('infra/Dockerfile', 'utf8');
  assert.match(text, /^FROM node:20-slim$/m);
  for (const [, from] of text.matchAll(/^COPY (?!--from)(.+) \S+$/gm)) {
    for (const file of from?.split(' ') ?? []) assert.ok(existsSync(file), file);
  }
  const start = JSON.parse(readFileSync('package.json', 'utf8')).scripts.start;
  assert.equal((JSON.parse(/^CMD (.+)$/m.exec(text)?.[1] ?? '') as string[]).join(' '), start);
  // Nobody else may become root in it.
  assert.match(text, /^USER node$/m);
});

async function firstLine(scope: { after(end: () => void): void }, url: string): Promise<string> {
  const teller = spawn(process.execPath, ['infra/container/metrics.mjs'], {
    env: { METRICS_DEPLOYMENT: 'a-test', METRICS_URL: url },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  scope.after(() => teller.kill());
  const [chunk] = await within('a line', once(teller.stdout, 'data'));
  return String(chunk).trimEnd();
}
