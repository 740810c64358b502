import { createHash } from 'node:crypto';
import { PortError } from '../../ports/errors.js';

/**
 * Every key of the store. Keys are bytes and LMDB compares them as bytes, at most 1,978 of them.
 *
 *     presence, sessions   client
 *     inbound              client, generation (6 bytes), packet identifier (2 bytes)
 *     outbound             client, generation (6 bytes), source, position
 *     retained             topic
 *     tombstones           time of writing in ms (6 bytes), key of the retained row
 *     shards               shard (4 bytes)
 *     checkpoints          shard (4 bytes), partition
 *
 * Numbers are big-endian. A text is its UTF-8 bytes and a zero byte, which no MQTT string contains [MQTT-1.5.4-2]: so 'a'
 * sorts before 'ab', and no client's keys begin with another's. A text over its bound is cut there, then comes a byte of one
 * and the SHA-256 of the whole: such texts sort after all that are shorter and among themselves by hash, always alike. Of a long
 * source or position the end is kept too, and the hash is of what comes before: places that differ only there, as those of one
 * partition with a long name do, keep their order.
 */
const END = 0;
const CUT = 1;
const DIGEST_BYTES = 32;
const NUMBER_BYTES = 6;
const CLIENT_MAX_BYTES = 600;
const PLACE_MAX_BYTES = 560;
/** More than a log's position and a share's mark have. */
const PLACE_END_BYTES = 120;
export const TOPIC_MAX_BYTES = 1_900;
/** No UTF-8 text contains this byte. */
const AFTER_TEXT = Buffer.from([0xff]);

export interface KeyRange {
  start: Buffer;
  end: Buffer;
}

export function clientKey(clientId: string): Buffer {
  return textKey(clientId, CLIENT_MAX_BYTES);
}

export function inboundKey(clientId: string, generation: number, packetId: number): Buffer {
  const id = Buffer.allocUnsafe(2);
  id.writeUInt16BE(packetId);
  return Buffer.concat([generationKey(clientId, generation), id]);
}

export function outboundKey(clientId: string, generation: number, source: string, position: string): Buffer {
  const place = [placeKey(source), placeKey(position)];
  return Buffer.concat([generationKey(clientId, generation), ...place]);
}

/** What all rows of one generation of a client begin with. */
export function generationKey(clientId: string, generation: number): Buffer {
  return Buffer.concat([clientKey(clientId), numberKey(generation)]);
}

/** Of a key that begins so. */
export function generationOf(clientId: string, key: Buffer): number {
  return key.readUIntBE(clientKey(clientId).length, NUMBER_BYTES);
}

export function retainedKey(topic: string): Buffer {
  return textKey(topic, TOPIC_MAX_BYTES);
}

export function tombstoneKey(writtenAtMs: number, retained: Buffer): Buffer {
  return Buffer.concat([numberKey(writtenAtMs), retained]);
}

export function shardKey(shard: number): Buffer {
  const key = Buffer.allocUnsafe(4);
  key.writeUInt32BE(shard);
  return key;
}

export function checkpointKey(shard: number, partition: string): Buffer {
  return Buffer.concat([shardKey(shard), textKey(partition, PLACE_MAX_BYTES)]);
}

/** All keys that begin so and go on with text, or with a number below 2 to the 47th. */
export function keysUnder(prefix: Buffer): KeyRange {
  // LMDB knows no empty key; a zero byte is the least there is.
  return { start: prefix.length === 0 ? Buffer.from([END]) : prefix, end: Buffer.concat([prefix, AFTER_TEXT]) };
}

/** The keys of all topics that begin with `text`, and of a few more where `text` is longer than a key. */
export function topicsUnder(text: string): KeyRange {
  return keysUnder(Buffer.from(text).subarray(0, TOPIC_MAX_BYTES));
}

/** 6 bytes: enough for milliseconds, and for generations of whatever size. */
export function numberKey(value: number): Buffer {
  const key = Buffer.allocUnsafe(NUMBER_BYTES);
  key.writeUIntBE(value, 0, NUMBER_BYTES);
  return key;
}

function placeKey(text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length <= PLACE_MAX_BYTES) return textKey(text, PLACE_MAX_BYTES);
  const end = bytes.length - PLACE_END_BYTES;
  return Buffer.concat([
    bytesKey(bytes.subarray(0, end), PLACE_MAX_BYTES - PLACE_END_BYTES),
    bytesKey(bytes.subarray(end)),
  ]);
}

function textKey(text: string, bytesMax: number): Buffer {
  return bytesKey(Buffer.from(text), bytesMax);
}

function bytesKey(bytes: Buffer, bytesMax = bytes.length): Buffer {
  if (bytes.includes(END)) throw new PortError('refused', 'a text with U+0000 cannot be a key');
  if (bytes.length <= bytesMax) return Buffer.concat([bytes, Buffer.from([END])]);
  const digest = createHash('sha256').update(bytes).digest();
  return Buffer.concat([bytes.subarray(0, bytesMax), Buffer.from([CUT]), digest], bytesMax + 1 + DIGEST_BYTES);
}
