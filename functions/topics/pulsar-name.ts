import { isCommandTopic } from './command-topic.js';

/** A topic of Pulsar by its parts: `persistent://tenant/namespace/local`. */
export interface PulsarName {
  /** `tenant/namespace` */
  namespace: string;
  local: string;
}

const FULL_NAME = /^persistent:\/\/([-=:.\w]+\/[-=:.\w]+)\/(.+)$/s;
/** What Pulsar's `NamedEntity` allows. */
const NAMESPACE = /^[-=:.\w]+\/[-=:.\w]+$/;
/** `.` and `..` would lead elsewhere in the paths of Pulsar's REST API. */
const DOTS = /^\.{1,2}(?:\/|$)|\/\.{1,2}$/;
/** Pulsar takes a topic of such a name for a partition of another. */
const PARTITION = /-partition-\d+$/;

/**
 * The parts of a full name; null where it is none. `local` is what follows the namespace and may hold slashes: MoP encodes
 * them, and Pulsar itself knows no such topic.
 */
export function parseFullName(name: string): PulsarName | null {
  const [, namespace, local] = FULL_NAME.exec(name) ?? [];
  if (namespace === undefined || local === undefined || namespaceProblem(namespace) !== null) return null;
  return { namespace, local };
}

/** What is wrong with a topic's name, full or short (`mqtt`), as a clause that follows it; null where it may stand in a route. */
export function pulsarNameProblem(name: string): string | null {
  if (name.startsWith('non-persistent://')) return 'is not persistent: the log cannot be kept in it';
  const parts = name.includes('://') ? parseFullName(name) : { local: name };
  if (parts === null || parts.local === '' || /[\s/{}?#+]|^\.{1,2}$/.test(parts.local)) {
    return 'is no topic of Pulsar: valid is mqtt, or persistent://tenant/namespace/mqtt';
  }
  if (isCommandTopic(parts.local)) return 'is kept for what connections tell the shards';
  return PARTITION.test(parts.local) ? 'is the name of a partition: name the topic' : null;
}

/** What is wrong with a `tenant/namespace`, as a clause that follows it, or null. */
export function namespaceProblem(namespace: string): string | null {
  const isOne = NAMESPACE.test(namespace) && !DOTS.test(namespace);
  return isOne ? null : 'is no namespace of Pulsar: valid is tenant/namespace, such as public/default';
}
