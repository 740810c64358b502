/**
 * `JavaStringHash` of a key, as Pulsar's Java client has it: Java's `String.hashCode` over UTF-16 code units with the sign
 * bit cleared. Whoever writes to a partitioned topic has to use it, or messages of one key are on several partitions.
 */
export function keyHash(key: string): number {
  let hash = 0;
  for (let i = 0; i < key.length; i++) hash = (Math.imul(hash, 31) + key.charCodeAt(i)) | 0;
  return hash & 0x7fff_ffff;
}

/**
 * The generation of a topic's layout that put a key on partition `index`, now that there are `count`: of the numbers of
 * partitions with which the key belongs there, the lowest of the last unbroken run. Every process comes to the same, also one
 * that has not noticed yet that partitions were added. 0 where the key never belonged there.
 */
export function layoutOf(key: string, index: number, count: number): number {
  const hash = keyHash(key);
  let layout = count;
  while (layout > 0 && hash % layout !== index) layout -= 1;
  while (layout > 1 && hash % (layout - 1) === index) layout -= 1;
  return layout;
}
