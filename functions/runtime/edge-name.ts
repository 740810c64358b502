/**
 * How the `edge` of a presence row names a process that shares the log with others: the slot of its lease, by which it is
 * reached, and who holds that now. A gateway's connections have names of their own (`gateway-name.ts`).
 */
export function edgeName(slot: number, holder: string): string {
  return `${slot}.${holder}`;
}

/** null where it names no such process. */
export function slotOf(edge: string): number | null {
  const slot = /^(\d+)\./.exec(edge)?.[1];
  return slot === undefined ? null : Number(slot);
}
