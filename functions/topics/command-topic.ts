const SHARD_START = 'pulsegate-sessions-';
const EDGE_START = 'pulsegate-edge-';

/** Topic of the log that tells a shard what its clients' connections elsewhere have for it. No route may name one. */
export function commandTopic(shard: number): string {
  return `${SHARD_START}${shard}`;
}

/** Topic of the log that brings the process of that slot what shards have for its clients. No route may name one. */
export function edgeTopic(slot: number): string {
  return `${EDGE_START}${slot}`;
}

/** Whether a topic of Pulsar may be either, whatever its namespace; without `persistent://tenant/namespace/`. */
export function isCommandTopic(local: string): boolean {
  return local.startsWith(SHARD_START) || local.startsWith(EDGE_START);
}
