// `npm run drill -- NAME [--seconds N] [--transport websocket|native]`: one drill of test/drills for that long, on real parts; without a name it
// lists them. docs/DRILLS.md says what the figures mean.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const FOLDER = 'test/drills';
/** Those that take longer are not run by `npm test`. */
const END = /(\.long)?\.test\.ts$/;

const { values, positionals } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, transport: { type: 'string' } },
  allowPositionals: true,
});
const names = readdirSync(FOLDER)
  .filter((file) => END.test(file) && file !== 'reshard.test.ts')
  .map((file) => file.replace(END, ''));
const [name] = positionals;
if (name === undefined || !names.includes(name)) {
  if (name !== undefined) console.error(`there is no drill ${name}; there are:`);
  for (const each of names) console.log(`${each.padEnd(14)} ${aboutOf(each)}`);
  process.exit(name === undefined ? 0 : 1);
}
if (!(Number(values.seconds) > 0)) {
  console.error(`--seconds ${values.seconds} is not a number of seconds, such as 60`);
  process.exit(1);
}

await import('./build.mjs');
await import('./build-functions.mjs');
const outfile = `dist/drill/${name}.test.mjs`;
await build({
  entryPoints: [fileOf(name)],
  outfile,
  bundle: true,
  packages: 'external',
  platform: 'node',
  target: 'node20',
  format: 'esm',
  sourcemap: 'inline',
  logLevel: 'warning',
});
/** Where services that are started for the drill say how they are reached; they end by themselves when this process has. */
const services = mkdtempSync(join(tmpdir(), 'pulsegate-drill-'));
const { status } = spawnSync(process.execPath, ['--enable-source-maps', '--test', '--test-reporter=spec', outfile], {
  stdio: 'inherit',
  env: {
    ...process.env,
    PULSEGATE_TEST_DRILL_SECONDS: values.seconds,
    ...(values.transport && { PULSEGATE_TEST_DRILL_TRANSPORT: values.transport }),
    PULSEGATE_TEST_SERVICES: services,
    PULSEGATE_TEST_RUNNER: String(process.pid),
  },
});
rmSync(services, { recursive: true, force: true });
process.exit(status ?? 1);

function fileOf(drill) {
  const short = join(FOLDER, `${drill}.test.ts`);
  return existsSync(short) ? short : join(FOLDER, `${drill}.long.test.ts`);
}

/** The first line of the file. */
function aboutOf(drill) {
  return readFileSync(fileOf(drill), 'utf8').match(/^\/\/ (.*)/)?.[1] ?? '';
}
