import { filterProblem } from './names.js';
import { namespaceProblem, pulsarNameProblem } from './pulsar-name.js';
import { type LogTopic, PLAIN_LOG_TOPIC } from './route.js';
import { parseTemplate, type Template } from './templated-route.js';

/** One entry of the setting, understood. `text` is the entry as it was written. */
export type RouteEntry = { text: string; description: LogTopic } & (
  | { kind: 'keyed'; pattern: string; logTopic: string }
  | { kind: 'templated'; template: Template; logTopic: string }
  | { kind: 'mop'; pattern: string; namespace: string }
);

const FORM = 'valid is TOPICS -> keyed:TOPIC, TOPICS -> templated:TOPIC or TOPICS -> mop:TENANT/NAMESPACE';
const ENTRY = /^(?:(.+)\s->\s+)?([a-z]+):([^?]*)(?:\?(.*))?$/s;
const PARTITIONS_MAX = 1_000;
const GENERATION_MAX = 1_000_000;

/** `devices/{id}/cmd -> templated:persistent://acme/devices/cmd?partitions=8`. A problem is a clause that follows the entry. */
export function parseRouteEntry(text: string): RouteEntry | { problem: string } {
  const match = ENTRY.exec(text);
  if (match === null) return { problem: `is no route: ${FORM}` };
  const [, left, kind, target = '', query] = match;
  const topics = left?.trim();
  const description = parseOptions(query, kind === 'mop');
  if ('problem' in description) return description;
  switch (kind) {
    case 'keyed':
      return parseKeyed(topics ?? '#');
    case 'templated':
      return parseTemplated(topics);
    case 'mop':
      return parseMop(topics ?? '#');
    default:
      return { problem: `has the kind ${kind}: ${FORM}` };
  }

  function parseKeyed(pattern: string): RouteEntry | { problem: string } {
    const problem = patternProblem(pattern) ?? targetProblem(pulsarNameProblem(target));
    if (problem !== null) return { problem };
    return { text, kind: 'keyed', pattern, logTopic: target, description: description as LogTopic };
  }

  function parseTemplated(shape: string | undefined): RouteEntry | { problem: string } {
    if (shape === undefined)
      return { problem: 'names no topics: a templated route needs them, such as devices/{id}/cmd' };
    const template = parseTemplate(shape);
    if ('problem' in template) return { problem: `names ${shape}, which ${template.problem}` };
    const problem = targetProblem(pulsarNameProblem(target));
    if (problem !== null) return { problem };
    return { text, kind: 'templated', template, logTopic: target, description: description as LogTopic };
  }

  function parseMop(pattern: string): RouteEntry | { problem: string } {
    const problem = patternProblem(pattern) ?? targetProblem(namespaceProblem(target));
    if (problem !== null) return { problem };
    return { text, kind: 'mop', pattern, namespace: target, description: description as LogTopic };
  }

  function targetProblem(problem: string | null): string | null {
    return problem === null ? null : `writes to "${target}", which ${problem}`;
  }
}

function patternProblem(pattern: string): string | null {
  if (pattern.startsWith('$share/'))
    return `takes ${pattern}: a route takes topics, not shares of them; leave $share out`;
  if (/[{}]/.test(pattern)) return `takes ${pattern}: only a templated route has variables; valid are + and # here`;
  const problem = filterProblem(pattern);
  return problem === null ? null : `takes ${pattern}, which is no topic filter: ${problem}`;
}

/** `partitions=8&make=no&generation=2`; each at most once. */
function parseOptions(query: string | undefined, isMop: boolean): LogTopic | { problem: string } {
  const description = { ...PLAIN_LOG_TOPIC };
  const seen = new Set<string>();
  for (const option of query === undefined ? [] : query.split('&')) {
    const [name = '', value = ''] = option.split(/=(.*)/s);
    if (seen.has(name)) return { problem: `has the option ${name} twice` };
    seen.add(name);
    if (name === 'partitions' && isMop) {
      return {
        problem: 'has the option partitions: what mop writes to one topic has one key, so more would stay empty',
      };
    }
    const number = /^\d{1,7}$/.test(value) ? Number(value) : -1;
    if (name === 'partitions' && number >= 1 && number <= PARTITIONS_MAX) description.partitions = number;
    else if (name === 'generation' && number >= 0 && number <= GENERATION_MAX) description.generation = number;
    else if (name === 'make' && (value === 'yes' || value === 'no')) description.mayBeMade = value === 'yes';
    else {
      const partitions = isMop ? '' : `partitions from 1 to ${PARTITIONS_MAX}, `;
      const valid = `${partitions}make=yes or make=no, generation from 0 to ${GENERATION_MAX}`;
      return { problem: `has the option ${option}: valid are ${valid}` };
    }
  }
  return description;
}
