/** Java's `String.hashCode` without its sign: what Pulsar's `JavaStringHash` makes of a key, to be taken modulo the partitions. */
export function javaHash(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(31, hash) + text.charCodeAt(i)) | 0;
  return hash & 0x7fffffff;
}
