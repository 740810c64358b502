// `npm run package`, `npm run deploy`: bundles the functions, then has osls do the rest. Options are those of osls, and
//   --addon FILE   takes pulsar-client's native addon along, which has to fit Lambda and --param=architecture (arm64 where nothing is said)
import { spawnSync } from 'node:child_process';
import { addonProblems } from './addon-needs.mjs';
import { bundleFunctions } from './function-bundles.mjs';

const [command, ...given] = process.argv.slice(2);
const { addon, options } = takeAddon(given);
const architecture = paramOf('architecture') ?? 'arm64';
const problems = addon === null ? [] : addonProblems(addon, architecture);
if (problems.length > 0) {
  console.error([`${addon} does not load in a function:`, ...problems.map((problem) => `- ${problem}`)].join('\n'));
  process.exit(1);
}
// Nothing is asked of it where nothing is deployed.
if (command === 'package' && paramOf('pulsarUrl') === undefined)
  options.push('--param=pulsarUrl=pulsar+wss://pulsar.invalid:8443');
await bundleFunctions({ outdir: 'dist/functions', addon });
const run = spawnSync(process.execPath, ['node_modules/osls/bin/serverless.js', command, ...options], {
  stdio: 'inherit',
});
process.exit(run.status ?? 1);

function takeAddon(words) {
  const at = words.indexOf('--addon');
  if (at < 0) return { addon: null, options: [...words] };
  const file = words[at + 1];
  if (file === undefined) throw new Error('--addon needs a file, such as pulsar.node');
  return { addon: file, options: words.toSpliced(at, 2) };
}

/** Of `--param=name=value` or `--param name=value`. */
function paramOf(name) {
  const texts = options.map((word, index) => (word === '--param' ? options[index + 1] : word.replace(/^--param=/, '')));
  return texts.find((text) => text?.startsWith(`${name}=`))?.slice(name.length + 1);
}
