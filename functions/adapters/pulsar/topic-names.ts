import { PortError } from '../../ports/errors.js';

const FULL_NAME = /^(persistent|non-persistent):\/\/([^/]+)\/([^/]+)\/(.+)$/;

/** `mqtt` → `persistent://public/default/mqtt`; a full name stays as it is. */
export function fullTopicName(topic: string, namespace: string): string {
  return topic.includes('://') ? topic : `persistent://${namespace}/${topic}`;
}

/** `persistent://public/default/mqtt` → `mqtt`; of another namespace it stays as it is. */
export function shortTopicName(fullName: string, namespace: string): string {
  const prefix = `persistent://${namespace}/`;
  return fullName.startsWith(prefix) ? fullName.slice(prefix.length) : fullName;
}

/** The path of a topic in Pulsar's REST and WebSocket APIs, without a slash in front. */
export function topicPath(fullName: string): string {
  const match = FULL_NAME.exec(fullName);
  if (match === null) throw new PortError('refused', `not a topic name of Pulsar: ${fullName}`);
  return match
    .slice(1)
    .map((part) => encodeURIComponent(part))
    .join('/');
}

/** The names of a topic's partitions; `count` is 0 where it is not partitioned. */
export function partitionNames(fullName: string, count: number): string[] {
  return count === 0 ? [fullName] : Array.from({ length: count }, (_, index) => partitionName(fullName, index));
}

/** `index` is a message id's: -1 where the topic is not partitioned. */
export function partitionName(fullName: string, index: number): string {
  return index < 0 ? fullName : `${fullName}-partition-${index}`;
}
