/**
 * The shard that owns a client's session: `JavaStringHash` of the client identifier, modulo the number of shards.
 * That is Java's `String.hashCode` over UTF-16 code units with the sign bit cleared, as Pulsar's Java client hashes keys,
 * so that anybody can compute it. Every process of one deployment must use the same number of shards.
 */
export function shardOf(clientId: string, shards: number): number {
  let hash = 0;
  for (let i = 0; i < clientId.length; i++) hash = (Math.imul(hash, 31) + clientId.charCodeAt(i)) | 0;
  return (hash & 0x7fff_ffff) % shards;
}
