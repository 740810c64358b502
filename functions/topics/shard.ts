import { keyHash } from './key-hash.js';

/**
 * The shard that owns a client's session: the hash of the client identifier (`keyHash`), modulo the number of shards, so that
 * anybody can compute it. Every process of one deployment must use the same number of shards.
 */
export function shardOf(clientId: string, shards: number): number {
  return keyHash(clientId) % shards;
}
