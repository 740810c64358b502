import fc from 'fast-check';
import { filterMatches } from '../../functions/topics/filter-match.js';
import { topicNameProblem } from '../../functions/topics/names.js';

/** Few enough to coincide, and each odd to somebody: MQTT, Pulsar, Java's encoder or a path. */
const LEVELS = [
  '',
  'a',
  'b',
  'devices',
  'cmd',
  'legacy',
  '$SYS',
  '$',
  '.',
  '..',
  'x-partition-3',
  '-partition-0',
  '7 %2F+~',
];
const PULSAR_LEVELS = ['persistent:', 'non-persistent:', 'public', 'default', 'acme', '__change_events', 'é€💡'];

const level = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...LEVELS.map((text) => text.replace('+', ''))) },
  { weight: 2, arbitrary: fc.constantFrom(...PULSAR_LEVELS) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 5 }).map((text) => text.replace(/[+#\0/]/g, '')) },
);

const plain = fc.array(level, { minLength: 1, maxLength: 6 }).map((levels) => levels.join('/'));
const deviceCommand = level.map((id) => `devices/${id}/cmd`);
const fullName = fc
  .tuple(fc.constantFrom('public/default', 'acme/devices', 't/n', '../x', 'bad name/n'), plain)
  .map(([namespace, local]) => `persistent://${namespace}/${local}`);

/** Topic names that may be published to. */
export const topics = fc
  .oneof({ weight: 4, arbitrary: plain }, { weight: 1, arbitrary: deviceCommand }, { weight: 1, arbitrary: fullName })
  .filter((topic) => topicNameProblem(topic) === null);

/** What is done to each level of a topic, until one becomes `#`. */
type Step = 'keep' | '+' | '#';
const steps = fc.array(fc.constantFrom<Step[]>('keep', 'keep', '+', '#'), { minLength: 7, maxLength: 7 });

/** A topic, and a filter that matches it. */
export const topicsWithFilter = fc
  .tuple(topics, steps)
  .map(([topic, plan]) => ({ topic, filter: filterFrom(topic, plan) }))
  .filter(({ topic, filter }) => filterMatches(filter, topic));

export const filters = fc.tuple(topics, steps).map(([topic, plan]) => filterFrom(topic, plan));

/** Keys that native producers may set, surrogates without their other half included. */
export const keys = fc.oneof(
  topics,
  filters,
  level,
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.constant('\ud800'),
);

function filterFrom(topic: string, plan: readonly Step[]): string {
  const levels: string[] = [];
  for (const [at, text] of topic.split('/').entries()) {
    const step = plan[at] ?? 'keep';
    levels.push(step === 'keep' ? text : step);
    if (step === '#') break;
  }
  // `a/#` matches `a`.
  return plan[6] === '#' && levels.at(-1) !== '#' ? [...levels, '#'].join('/') : levels.join('/');
}
