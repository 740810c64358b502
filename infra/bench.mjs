// `npm run bench`: bundles the program and the benches, runs one of them. `npm run bench -- --help` lists the options;
// `npm run bench -- filter-index` runs test/bench/filter-index.ts alone.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { build } from 'esbuild';

const args = process.argv.slice(2);
const name = args[0] === undefined || args[0].startsWith('-') ? 'throughput' : args.shift();
const files = readdirSync('test/bench').filter((file) => file.endsWith('.ts'));
if (!files.includes(`${name}.ts`)) {
  console.error(`there is no bench ${name} in test/bench`);
  process.exit(1);
}

await import('./build.mjs');
await build({
  entryPoints: files.map((file) => `test/bench/${file}`),
  outdir: 'dist/bench',
  bundle: true,
  packages: 'external',
  platform: 'node',
  target: 'node20',
  format: 'esm',
  outExtension: { '.js': '.mjs' },
  logLevel: 'warning',
});
const runs = [[name, args]];
// The whole of it ends with the index.
if (name === 'throughput' && !args.includes('--only') && !args.includes('--help')) runs.push(['filter-index', []]);
for (const [bench, its] of runs) {
  const stdout = bench !== name && args.includes('--json') ? process.stderr : 'inherit';
  const child = spawn(process.execPath, ['--expose-gc', `dist/bench/${bench}.mjs`, ...its], {
    stdio: ['inherit', stdout, 'inherit'],
  });
  // The bench ends what it started before it ends itself.
  const pass = (signal) => child.kill(signal);
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, pass);
  const [code] = await once(child, 'exit');
  if (code !== 0) process.exit(code ?? 1);
}
