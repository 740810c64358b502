import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { notRun } from '../support/parts.js';
import { FIRST, type Package, packaged } from './packaged.js';
import { resourcesOf } from './template.js';
import { unpack, unzip } from './zip.js';

const { bundleFunctions } = (await import(pathToFileURL(resolve('infra/function-bundles.mjs')).href)) as {
  bundleFunctions: (options: { outdir: string; addon?: string }) => Promise<void>;
};
const { addonNeeds, addonProblems } = (await import(pathToFileURL(resolve('infra/addon-needs.mjs')).href)) as {
  addonNeeds: (file: string) => { architecture: string; libraries: string[]; versions: Record<string, string> } | null;
  addonProblems: (file: string, architecture: string) => string[];
};

const ADDON = 'node_modules/pulsar-client/lib/binding/pulsar.node';
const NATIVE = { PULSEGATE_LOG: 'pulsar://127.0.0.1:6650' };
const BUNDLE_MAX_BYTES = 1024 * 1024;
const FUNCTIONS = ['connect', 'message', 'disconnect'];
/** Of a connection that is not there, or not yet; null: it is none of a WebSocket connection. */
const EVENT = { requestContext: { connectionId: 'c', domainName: 'd', stage: 'dev' }, body: '1:' };
/** As a sandbox does: the handler of a file, one event, what it resolves with. */
const INVOKE = `
  const [file, event] = process.argv.slice(1);
  require(file).handler(JSON.parse(event)).then((result) => {
    console.log(JSON.stringify(result));
    process.exit();
  });
`;

const plain = packaged({ ...FIRST, auth: 'anonymous' });

test('each handler is in its archive, with nothing beside it, and loads there', (context) => {
  for (const name of FUNCTIONS) {
    const [[path, content] = ['', Buffer.of()], ...others] = unzip(archiveOf(plain, name));
    assert.equal(handlerOf(plain, name), path.replace(/\.cjs$/, '.handler'));
    assert.deepEqual(others, []);
    assert.ok(content.length <= BUNDLE_MAX_BYTES, `${name} has ${content.length} bytes`);
    assert.equal(invoke(context, plain, name, { env: {}, event: null }).status, 400);
  }
});

test('functions start with the environment that they are deployed with', (context) => {
  for (const name of FUNCTIONS) {
    const env = environmentOf(plain, name);
    assert.doesNotMatch(invoke(context, plain, name, { env }).said, /cannot start/);
    const { PULSEGATE_GATEWAY: _, ...without } = env;
    assert.match(invoke(context, plain, name, { env: without }).said, /cannot start/);
  }
});

test('without the addon, Pulsar is reached by its WebSocket API alone', (context) => {
  const env = environmentOf(plain, 'connect');
  assert.doesNotMatch(invoke(context, plain, 'connect', { env }).said, /addon/);
  assert.match(invoke(context, plain, 'connect', { env: { ...env, ...NATIVE } }).said, /native addon/);
});

if (existsSync(ADDON)) {
  test('with the addon in the archive, the native client is there too', async (context) => {
    const functions = temporary(context);
    await bundleFunctions({ outdir: functions, addon: resolve(ADDON) });
    const native = packaged({ ...FIRST, auth: 'anonymous' }, functions);
    for (const name of FUNCTIONS)
      assert.ok([...unzip(archiveOf(native, name)).keys()].some((each) => each.endsWith('.node')));
    const { status, said } = invoke(context, native, 'message', {
      env: { ...environmentOf(native, 'message'), ...NATIVE },
    });
    assert.doesNotMatch(said, /addon|cannot start/);
    assert.equal(status, 200);
    const folder = temporary(context);
    unpack(archiveOf(native, 'message'), folder);
    const client = join(folder, 'dist/functions/ws-message/node_modules/pulsar-client');
    const use = `const pulsar = require(${JSON.stringify(client)});
      new pulsar.Client({ serviceUrl: 'pulsar+ssl://127.0.0.1:6651' });
      console.log(String(pulsar.MessageId.earliest()));`;
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', use], { cwd: folder, encoding: 'utf8' });
    assert.equal(stdout, '(-1,-1,-1,-1)\n', stderr);
    assert.ok(existsSync(join(client, 'cert.pem')));
  });

  test('what an addon needs is read from it, and one that Lambda cannot load is refused', () => {
    const needs = addonNeeds(ADDON);
    assert.equal(needs?.architecture, process.arch === 'x64' ? 'x86_64' : process.arch);
    assert.ok(needs.libraries.some((library) => /^libc\.so\.6$/.test(library)));
    assert.match(needs.versions.GLIBC ?? '', /^2\.\d+$/);
    assert.match(needs.versions.GLIBCXX ?? '', /^3\.4\.\d+$/);
    const other = needs.architecture === 'arm64' ? 'x86_64' : 'arm64';
    assert.match(addonProblems(ADDON, other).join(), /it is for/);
    assert.deepEqual(addonProblems('package.json', other), ['package.json is no shared object for 64-bit Linux']);
    // Compiled where libpulsar is a shared library, the addon needs that too.
    const isLinked = needs.libraries.some((library) => library.startsWith('libpulsar'));
    assert.equal(/libpulsar/.test(addonProblems(ADDON, needs.architecture).join()), isLinked);
  });
} else notRun('native addon in a function', `there is no ${ADDON}`);

function archiveOf({ folder }: Package, name: string): string {
  return join(folder, '.serverless', `${name}.zip`);
}

function propertiesOf({ template }: Package, name: string) {
  const id = `${name[0]?.toUpperCase()}${name.slice(1)}LambdaFunction`;
  return resourcesOf(template)[id]!.Properties as {
    Handler: string;
    Environment: { Variables: Record<string, string> };
  };
}

function handlerOf(made: Package, name: string): string {
  return propertiesOf(made, name).Handler;
}

function environmentOf(made: Package, name: string): Record<string, string> {
  return propertiesOf(made, name).Environment.Variables;
}

/** Of the unpacked archive, in a process that has nothing else. There is no way to AWS: no credentials, so nothing is tried for long. */
function invoke(
  context: TestContext,
  made: Package,
  name: string,
  { env, event = EVENT }: { env: Record<string, string>; event?: unknown },
): { status: number | undefined; said: string } {
  const folder = temporary(context);
  unpack(archiveOf(made, name), folder);
  const file = join(folder, handlerOf(made, name).replace(/\.handler$/, '.cjs'));
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', INVOKE, file, JSON.stringify(event)], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...env, HOME: folder, AWS_EC2_METADATA_DISABLED: 'true' },
  });
  assert.notEqual(stdout, '', `${name} did not answer:\n${stderr}`);
  return { status: JSON.parse(stdout).statusCode, said: stderr };
}

function temporary(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'pulsegate-package-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
