// `npm run init-time`: what each bundled function takes to load in a fresh process, as a cold start does before its first event. Fails above the bound.
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import './build-functions.mjs';

const MAX_MS = 300;
const RUNS = 7;
const FOLDER = 'dist/functions';
const LOAD = 'const began = performance.now(); require(process.argv[1]); console.log(performance.now() - began);';

for (const name of readdirSync(FOLDER)) {
  const file = resolve(FOLDER, name, 'index.cjs');
  const times = Array.from({ length: RUNS }, () => Number(spawnSync(process.execPath, ['-e', LOAD, file]).stdout));
  const [median] = times.sort((left, right) => left - right).slice(Math.floor(RUNS / 2));
  const kB = Math.round(statSync(file).size / 1000);
  console.log(
    `${name}: ${Math.round(median)} ms of ${MAX_MS}, median of ${RUNS} (${Math.round(times[0])} to ${Math.round(times.at(-1))}); ${kB} kB`,
  );
  if (!(median <= MAX_MS)) process.exitCode = 1;
}
