import { isCommandTopic } from './command-topic.js';
import { mopLocalName, mopTopicOf } from './mop-name.js';
import { hasWildcard, topicNameProblem } from './names.js';
import { parseFullName } from './pulsar-name.js';
import { type LogTopic, PLAIN_LOG_TOPIC, type Reading, type Route } from './route.js';
import { patternOverlaps, patternTakes } from './route-pattern.js';

const NOT_KEPT = 'non-persistent://';

export interface MopOptions {
  /** `tenant/namespace` of the MQTT topics that do not name theirs. */
  namespace: string;
  pattern?: string;
  description?: LogTopic;
  /** Full names of topics that other routes write to: not this route's, whatever the pattern. */
  reserved?: ReadonlySet<string>;
}

/**
 * One topic of Pulsar per MQTT topic, named as MoP does: `/a/b` is `persistent://public/default/%2Fa%2Fb`, and an MQTT topic
 * that is itself `persistent://tenant/namespace/a` names that one. What only begins like a full name is a topic like any
 * other; MoP refuses it. Topics under `non-persistent://` are not taken: such a topic keeps nothing. Nor are those of commands.
 *
 * `a` and `persistent://public/default/a` are one topic of Pulsar and two of MQTT (`Spellings`). The key says which a publication
 * was for; messages of native producers and of MoP have none, and get the first of the two that the pattern takes.
 */
export function mopRoute({
  namespace,
  pattern = '#',
  description = PLAIN_LOG_TOPIC,
  reserved = new Set(),
}: MopOptions): Route {
  return {
    toLog(topic) {
      const logTopic = isTaken(topic) ? nameOf(topic) : null;
      return logTopic === null ? null : { logTopic, key: topic };
    },

    toTopic(logTopic, key) {
      const topics = spellings(logTopic);
      if (topics.includes(key)) return isTaken(key) ? key : null;
      return topics.find(isTaken) ?? null;
    },

    readings(filter): readonly Reading[] {
      if (!patternOverlaps(pattern, filter)) return [];
      if (hasWildcard(filter)) return namespacesOf(filter).map((name) => ({ namespace: name }));
      const logTopic = isTaken(filter) ? nameOf(filter) : null;
      return logTopic === null ? [] : [{ logTopic, key: null }];
    },

    named: [],
    topicsOf: (logTopic) => spellings(logTopic).filter(isTaken),
    describe: (logTopic) => (spellings(logTopic).some(isTaken) ? description : null),
  };

  function isTaken(topic: string): boolean {
    return topicNameProblem(topic) === null && patternTakes(pattern, topic);
  }

  /** The topic of Pulsar that an MQTT topic names. */
  function nameOf(topic: string): string | null {
    if (topic.startsWith(NOT_KEPT)) return null;
    const parts = parseFullName(topic) ?? { namespace, local: topic };
    const local = mopLocalName(parts.local);
    const name = `persistent://${parts.namespace}/${local}`;
    return local === null || isCommandTopic(local) || reserved.has(name) ? null : name;
  }

  /** The MQTT topics that a topic of Pulsar stands for. */
  function spellings(logTopic: string): string[] {
    const parts = parseFullName(logTopic);
    if (parts === null || parts.local.includes('/') || isCommandTopic(parts.local) || reserved.has(logTopic)) return [];
    const topic = mopTopicOf(parts.local);
    if (topic === null) return [];
    const full = `persistent://${parts.namespace}/${topic}`;
    const isShort = parts.namespace === namespace && !topic.startsWith(NOT_KEPT) && parseFullName(topic) === null;
    return isShort ? [topic, full] : [full];
  }

  /** As MoP: a filter with wildcards is about the namespace that it spells out. Here about the route's own besides. */
  function namespacesOf(filter: string): string[] {
    // `persistent://t/n/#` matches `persistent://t/n` too, which is a topic of the route's own namespace; so is `non-persistent:/`.
    if (filter.startsWith(NOT_KEPT) && filter !== `${NOT_KEPT}#`) return [];
    const spelled = parseFullName(filter)?.namespace;
    return [...new Set(spelled === undefined ? [namespace] : [spelled, namespace])];
  }
}
