// `npm run bench`: bundles the program and the bench, and runs it. `npm run bench -- --help` lists parts and options.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { build } from 'esbuild';

/** Each a process of its own. */
const PROCESSES = ['bench', 'load', 'load-connects', 'load-log', 'filter-index', 'relay', 'pulsar-relay', 'aedes'];

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
const bench = spawn(process.execPath, ['dist/bench/bench.mjs', ...process.argv.slice(2)], { stdio: 'inherit' });
// The bench ends what it started before it ends itself.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => bench.kill(signal));
const [code] = await once(bench, 'exit');
process.exit(code ?? 1);
