const START = 'pulsegate-sessions-';

/** Topic of the log that tells a shard what its clients' connections elsewhere have for it. No route may name one. */
export function commandTopic(shard: number): string {
  return `${START}${shard}`;
}

/** Whether a topic of Pulsar may be one, whatever its namespace; without `persistent://tenant/namespace/`. */
export function isCommandTopic(local: string): boolean {
  return local.startsWith(START);
}
