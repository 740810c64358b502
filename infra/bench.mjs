// `npm run bench`: bundles the program and the bench, and runs it. `npm run bench -- --help` lists parts and options.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';

/** Each a process of its own. */
const PROCESSES = [
  'bench',
  'load',
  'load-connects',
  'load-log',
  'filter-index',
  'posts',
  'relay',
  'pulsar-relay',
  'aedes',
];

await import('./build.mjs');
await build({
  entryPoints: PROCESSES.map((name) => `test/bench/${name}.ts`),
  outdir: 'dist/bench',
  bundle: true,
  packages: 'external',
  platform: 'node',
  target: 'node20',
  format: 'esm',
  outExtension: { '.js': '.mjs' },
  logLevel: 'warning',
});
/** Where a Pulsar that is started for the bench says how it is reached; it ends by itself when the bench has. */
const services = mkdtempSync(join(tmpdir(), 'pulsegate-bench-'));
const env = { ...process.env, PULSEGATE_TEST_SERVICES: services };
delete env.PULSEGATE_TEST_RUNNER;
const bench = spawn(process.execPath, ['dist/bench/bench.mjs', ...process.argv.slice(2)], { stdio: 'inherit', env });
// The bench ends what it started before it ends itself.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => bench.kill(signal));
const [code] = await once(bench, 'exit');
rmSync(services, { recursive: true, force: true });
process.exit(code ?? 1);
