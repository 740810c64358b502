import { parseArgs } from 'node:util';
import { type Options, type Outcome, simulate } from './simulation.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    steps: { type: 'string', default: '3000' },
    clients: { type: 'string' },
    fleet: { type: 'boolean', default: false },
    trace: { type: 'string', default: '60' },
    grep: { type: 'string' },
    'no-shrink': { type: 'boolean', default: false },
    first: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  console.log(
    'npm run sim -- [--seed N | --seeds A..B] [--steps M] [--clients C] [--fleet] [--trace LINES] [--grep REGEXP] [--no-shrink] [--first]',
  );
  process.exit(0);
}

const [first, last] = (values.seeds ?? `${values.seed ?? 1}..${values.seed ?? 1}`).split('..').map(Number);
const begun = performance.now();
const total: Record<string, number> = {};
let failed = 0;
for (let seed = first!; seed <= last!; seed += 1) {
  const options: Options = {
    seed,
    steps: Number(values.steps),
    traceLines: Number(values.trace),
    isFleet: values.fleet,
  };
  if (values.clients) options.clients = Number(values.clients);
  const outcome = await simulate(options);
  for (const [name, count] of Object.entries(outcome.counts)) total[name] = (total[name] ?? 0) + count;
  if (outcome.violations.length === 0) continue;
  failed += 1;
  await explain(options, outcome);
  if (values.first) break;
}
const seconds = (performance.now() - begun) / 1000;
console.log({ seeds: last! - first! + 1, failed, ...total, stepsPerSecond: Math.round((total.steps ?? 0) / seconds) });
process.exit(failed === 0 ? 0 : 1);

async function explain(options: Options, outcome: Outcome): Promise<void> {
  const small = values['no-shrink'] ? { options, outcome } : await shrink(options);
  const { violations, step, trace } = small.outcome;
  const wanted = new RegExp(values.grep ?? '');
  console.log(trace.filter((line) => wanted.test(line)).join('\n'));
  console.log(`seed ${options.seed}: ${violations.length} violations at step ${step}`);
  for (const violation of violations.slice(0, 10)) console.log(`- ${violation}`);
  const clients = `${small.options.clients ? ` --clients ${small.options.clients}` : ''}${values.fleet ? ' --fleet' : ''}`;
  console.log(`repeat: npm run sim -- --seed ${options.seed} --steps ${small.options.steps}${clients}`);
  if (step !== outcome.step) console.log(`(was: step ${outcome.step}, ${outcome.violations[0]})`);
}

/** Fewer clients first, then fewer steps: what still fails in the least. */
async function shrink(options: Options): Promise<{ options: Options; outcome: Outcome }> {
  let best = { options, outcome: await simulate(options) };
  const attempt = async (smaller: Options): Promise<boolean> => {
    const outcome = await simulate(smaller);
    if (outcome.violations.length === 0) return false;
    best = { options: smaller, outcome };
    return true;
  };
  for (let clients = 1; clients <= 4; clients += 1) if (await attempt({ ...options, clients })) break;
  for (const part of [0.05, 0.1, 0.2, 0.35, 0.5, 0.7]) {
    const steps = Math.ceil(Math.min(best.outcome.step, best.options.steps) * part);
    if (await attempt({ ...best.options, steps })) break;
  }
  return best;
}
