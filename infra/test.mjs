// `npm test`: bundles the tests, runs them under node's test runner, then says what did not run and why.
// Arguments are parts of paths: `npm test -- mqtt` runs only the test files with `mqtt` in their path.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { build } from 'esbuild';

const out = resolve('dist/test', String(process.pid));
const notRunFile = join(out, 'not-run.txt');
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

const wanted = process.argv.slice(2);
const files = testFiles('test').filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)));
if (files.length === 0) {
  console.error(`no test file has ${wanted.join(' or ')} in its path`);
  process.exit(1);
}

const END_TO_END = join('test', 'end-to-end');
/** End-to-end tests run on Pulsar and DynamoDB as well, over each transport, but for these, each for its reason. */
const EMBEDDED_ONLY = {
  'command.test.ts': 'the command line, and the data directory that one process has at a time',
  'disk.test.ts': 'the disk of the data directory is full',
  'malformed.test.ts': 'packets are judged before log or store are asked',
  'secrets.test.ts': 'where users, keys and rules are kept, whatever the log is',
  'durability.test.ts': 'when the data file is flushed, seen in system calls',
  'durability-old-data.test.ts': 'data directories that earlier versions wrote',
};
/** And with clients that come through API Gateway: what differs most there. */
const THROUGH_GATEWAY = ['retained', 'transit', 'wills'];
const throughGateway = files.filter(
  (file) => dirname(file) === END_TO_END && THROUGH_GATEWAY.includes(basename(file, '.test.ts')),
);
const onPulsar = files.filter((file) => dirname(file) === END_TO_END && !(basename(file) in EMBEDDED_ONLY));

await import('./build.mjs');
await import('./build-functions.mjs');
// Of the backings, only these: for trying something.
const backings = process.env.PULSEGATE_TEST_BACKINGS?.split(',') ?? ['embedded', 'websocket', 'native', 'gateway'];
const bundled = [];
const filesOn = { embedded: files, websocket: onPulsar, native: onPulsar, gateway: throughGateway };
for (const backing of backings) bundled.push(...(await bundle(backing, filesOn[backing])));
const run = spawnSync(
  process.execPath,
  [
    '--enable-source-maps',
    '--test',
    '--test-concurrency=2',
    '--test-timeout=480000',
    '--test-reporter=spec',
    ...bundled,
  ],
  {
    stdio: 'inherit',
    env: {
      ...process.env,
      PULSEGATE_TEST_NOT_RUN: notRunFile,
      PULSEGATE_TEST_SERVICES: out,
      PULSEGATE_TEST_RUNNER: String(process.pid),
    },
  },
);
await Promise.all(['pulsar', 'dynamodb', 'secrets'].map(endService));

const notRun = existsSync(notRunFile) ? [...new Set(readFileSync(notRunFile, 'utf8').trim().split('\n'))] : [];
console.log(
  notRun.length === 0
    ? `Every part ran${run.status === 0 ? '' : ', and not all passed'}.`
    : `Not run (${notRun.length}):`,
);
for (const line of notRun) console.log(`- ${line}`);
const required = process.env.PULSEGATE_TEST_REQUIRE === 'all';
const missing = notRun.filter((line) => !line.startsWith('native addon'));
if (required && missing.length > 0) console.log('PULSEGATE_TEST_REQUIRE=all: a part that did not run is a failure.');
rmSync(out, { recursive: true, force: true });
process.exit(run.status !== 0 ? (run.status ?? 1) : required && missing.length > 0 ? 1 : 0);

/** The one that test/support/shared-service.ts started, if any. Its keeper also sees by itself when this process is gone. */
async function endService(name) {
  const file = join(out, `${name}.json`);
  if (!existsSync(file)) return;
  const { keeper } = JSON.parse(readFileSync(file, 'utf8'));
  if (keeper === undefined) return;
  try {
    for (process.kill(keeper, 'SIGTERM'); ; process.kill(keeper, 0))
      await new Promise((again) => setTimeout(again, 50));
  } catch {
    // It has ended.
  }
}

/** Without `.long.test.ts`: drills that take too long here, for `npm run drill`. */
function testFiles(folder) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts') && !name.endsWith('.long.test.ts'))
    .map((name) => join(folder, name))
    .sort();
}

/** Bundles test files that are to run on one backing (`test/support/backing.ts`); resolves with the bundles' paths. */
async function bundle(backing, entryPoints) {
  const outdir = join(out, backing);
  await build({
    entryPoints,
    outdir,
    outbase: 'test',
    bundle: true,
    splitting: true,
    packages: 'external',
    platform: 'node',
    target: 'node20',
    format: 'esm',
    sourcemap: 'inline',
    logLevel: 'warning',
    define: { 'process.env.PULSEGATE_TEST_BACKING': JSON.stringify(backing) },
  });
  return entryPoints.map((file) => join(outdir, file.slice('test/'.length).replace(/\.ts$/, '.js')));
}
