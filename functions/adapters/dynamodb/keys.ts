import { createHash } from 'node:crypto';
import { PortError } from '../../ports/errors.js';
import { keyHash } from '../../topics/key-hash.js';
import { shardOf } from '../../topics/shard.js';

/**
 * Every key of the store. One table, no index: each question of the port is a get, or a query of one partition key.
 *
 *     pk                  sk                                        what
 *     meta                store                                     number of shards that the keys were made with
 *     leases              slot                                      lease of a process; `version`
 *     presence:SHARD:B    client                                    presence row; `version`
 *     session:SHARD:B     client                                    session row; `epoch`, `generation`, `order`
 *     inbound:CLIENT      generation, packet identifier             incoming QoS 2
 *     outbound:CLIENT     generation, 'row', source, position       what a client is owed
 *     outbound:CLIENT     generation, 'part', source, position, …   parts of those over 300 KB, in reach of the same `clear`
 *     retained:BUCKET     topic                                     retained row or tombstone; `layout`, `position`
 *     shard:SHARD         claim                                     `epoch`, `owner`
 *     shard:SHARD         done, partition                           checkpoint
 *     parts:PK            sk, …                                     parts of a row over 300 KB that is at PK, sk
 *
 * - The shard stands in the keys of what is listed by shard, so that no index trails behind and no listing reads what is another's.
 *   The number of shards is thus part of the data: `meta` refuses another one.
 * - Clients of a shard and retained topics are spread by hash over a fixed few buckets (B), since one partition key takes 1,000
 *   writes/s before DynamoDB splits it, and after a restart all clients come at once. Listing a shard is a query a bucket. A filter without
 *   wildcards is one get; any other is a query a bucket, each within the filter's literal beginning.
 * - Parts of a key are joined by U+0000, which no MQTT string contains [MQTT-1.5.4-2]; numbers have leading zeros. DynamoDB compares
 *   strings by their UTF-8 bytes, so 'a' sorts before 'ab', and no client's keys begin with another's.
 * - A text over its bound is cut there, then comes U+0001 and the SHA-256 of the whole: such texts sort after those that are shorter
 *   and among themselves by hash, always alike. DynamoDB's bounds are 2,048 bytes for pk and 1,024 for sk.
 * - Of a long source or position the end is kept too, and the hash is of what comes before: places that differ only there, as those
 *   of one partition with a long name do, keep their order.
 */
const END = '\u0000';
const CUT = '\u0001';
/** Sorts after all text that MQTT recommends: it is a noncharacter, the last there is. */
export const AFTER_TEXT = '\u{10ffff}';
const CLIENT_MAX_BYTES = 800;
const PLACE_MAX_BYTES = 370;
/** More than a log's position and a share's mark have. */
const PLACE_END_BYTES = 120;
/** Topics are told apart by sort key up to here. */
export const TOPIC_MAX_BYTES = 900;
/** Numbers below 2 to the 53rd. */
const NUMBER_DIGITS = 16;
const CLIENT_BUCKETS = 4;
const RETAINED_BUCKETS = 4;

/** For infra and for `createTables`. On demand: connects come in waves, and an idle deployment costs storage alone. */
export const TABLE = {
  AttributeDefinitions: [
    { AttributeName: 'pk', AttributeType: 'S' },
    { AttributeName: 'sk', AttributeType: 'S' },
  ],
  KeySchema: [
    { AttributeName: 'pk', KeyType: 'HASH' },
    { AttributeName: 'sk', KeyType: 'RANGE' },
  ],
  BillingMode: 'PAY_PER_REQUEST',
} as const;

/** Seconds since the epoch. Only tidies away what nobody needs: a row that outlives it changes no answer. */
export const TTL_ATTRIBUTE = 'expiresAtS';

export interface Place {
  pk: string;
  sk: string;
}

/** Sort keys of one partition key: all, those that begin so, or those between two, both included. */
export interface Range {
  pk: string;
  prefix?: string;
  between?: readonly [string, string];
}

export function tableName(prefix: string): string {
  return `${prefix}-store`;
}

/** Of the gateway edge's connections, by the gateway's name of each. */
export function connectionsTableName(prefix: string): string {
  return `${prefix}-connections`;
}

/** In the table of connections: `row` is the connection's, `part` with a frame's number what that frame brought of a message. */
export function connectionKey(id: string): Place {
  return { pk: id, sk: 'row' };
}

export function messagePartKey(id: string, frame: number): Place {
  return { pk: id, sk: joined('part', number(frame)) };
}

/** Of frames from `first` to `last`, both included. */
export function messageParts(id: string, first = 0, last = Number.MAX_SAFE_INTEGER): Range {
  return { pk: id, between: [messagePartKey(id, first).sk, messagePartKey(id, last).sk] };
}

export const META: Place = { pk: 'meta', sk: 'store' };

export function leaseKey(slot: number): Place {
  return { pk: 'leases', sk: number(slot) };
}

export function leaseList(): Range {
  return { pk: 'leases' };
}

export function presenceKey(clientId: string, shards: number): Place {
  return { pk: `presence:${bucketOf(clientId, shards)}`, sk: clientKey(clientId) };
}

/** A range a bucket. */
export function presenceLists(shard: number): Range[] {
  return Array.from({ length: CLIENT_BUCKETS }, (_, bucket) => ({ pk: `presence:${shard}:${bucket}` }));
}

export function sessionKey(clientId: string, shards: number): Place {
  return { pk: `session:${bucketOf(clientId, shards)}`, sk: clientKey(clientId) };
}

/** A range a bucket. */
export function sessionLists(shard: number): Range[] {
  return Array.from({ length: CLIENT_BUCKETS }, (_, bucket) => ({ pk: `session:${shard}:${bucket}` }));
}

export function clientKey(clientId: string): string {
  return textKey(clientId, CLIENT_MAX_BYTES);
}

export function inboundKey(clientId: string, generation: number, packetId: number): Place {
  return { pk: `inbound:${clientKey(clientId)}`, sk: joined(number(generation), String(packetId)) };
}

export function inboundOf(clientId: string, generation: number): Range {
  return { pk: `inbound:${clientKey(clientId)}`, prefix: joined(number(generation), '') };
}

/** Of all generations up to that one. */
export function inboundUpTo(clientId: string, generation: number): Range {
  return { pk: `inbound:${clientKey(clientId)}`, between: [number(0), joined(number(generation), AFTER_TEXT)] };
}

export function outboundKey(clientId: string, generation: number, source: string, position: string): Place {
  return {
    pk: `outbound:${clientKey(clientId)}`,
    sk: joined(number(generation), 'row', placeKey(source), placeKey(position)),
  };
}

export function outboundRows(clientId: string, generation: number): Range {
  return { pk: `outbound:${clientKey(clientId)}`, prefix: joined(number(generation), 'row', '') };
}

/** Of all generations up to that one, parts included, from `first` on. */
export function outboundUpTo(clientId: string, generation: number, first = 0): Range {
  return { pk: `outbound:${clientKey(clientId)}`, between: [number(first), joined(number(generation), AFTER_TEXT)] };
}

/** Of an outbound row, or of a part. */
export function generationOf({ sk }: Place): number {
  return Number(sk.slice(0, NUMBER_DIGITS));
}

export function retainedKey(topic: string): Place {
  return { pk: `retained:${shardOf(topic, RETAINED_BUCKETS)}`, sk: textKey(topic, TOPIC_MAX_BYTES) };
}

/** Topics that begin with `text`, and a few more where it is longer than a key: a range a bucket. */
export function retainedUnder(text: string): Range[] {
  const prefix = cut(text, TOPIC_MAX_BYTES);
  return Array.from({ length: RETAINED_BUCKETS }, (_, bucket) => ({ pk: `retained:${bucket}`, prefix }));
}

export function claimKey(shard: number): Place {
  return { pk: `shard:${shard}`, sk: 'claim' };
}

export function checkpointKey(shard: number, partition: string): Place {
  return { pk: `shard:${shard}`, sk: joined('done', textKey(partition, CLIENT_MAX_BYTES)) };
}

export function checkpointList(shard: number): Range {
  return { pk: `shard:${shard}`, prefix: joined('done', '') };
}

/** Part of the body that the write `id` gives a row. */
export function partKey(row: Place, id: string, index: number): Place {
  const { pk, prefix } = partsOf(row);
  return { pk, sk: `${prefix}${joined(id, String(index).padStart(4, '0'))}` };
}

/** A row's parts of writes before `id`. */
export function partsBefore(row: Place, id: string): Range {
  const { pk, prefix } = partsOf(row);
  return { pk, between: [prefix, prefix + id] };
}

/** The bucket comes from what of the hash the shard does not use. */
function bucketOf(clientId: string, shards: number): string {
  return `${shardOf(clientId, shards)}:${Math.floor(keyHash(clientId) / shards) % CLIENT_BUCKETS}`;
}

function partsOf({ pk, sk }: Place): { pk: string; prefix: string } {
  if (!pk.startsWith('outbound:')) return { pk: `parts:${pk}`, prefix: `${sk}${END}` };
  return { pk, prefix: `${sk.replace(`${END}row${END}`, `${END}part${END}`)}${END}` };
}

function joined(...parts: string[]): string {
  return parts.join(END);
}

function number(value: number): string {
  return String(value).padStart(NUMBER_DIGITS, '0');
}

function textKey(text: string, bytesMax: number): string {
  if (text.includes(END)) throw new PortError('refused', 'a text with U+0000 cannot be a key');
  const start = cut(text, bytesMax);
  return start === text ? text : `${start}${CUT}${createHash('sha256').update(text).digest('hex')}`;
}

function placeKey(text: string): string {
  const key = textKey(text, PLACE_MAX_BYTES);
  if (key === text) return key;
  const bytes = Buffer.from(text);
  let end = bytes.length - PLACE_END_BYTES;
  while ((bytes[end]! & 0xc0) === 0x80) end += 1;
  return `${textKey(bytes.toString('utf8', 0, end), PLACE_MAX_BYTES - PLACE_END_BYTES)}${bytes.toString('utf8', end)}`;
}

/** The first characters that fit. */
function cut(text: string, bytesMax: number): string {
  if (text.length * 3 <= bytesMax) return text;
  const bytes = Buffer.from(text);
  if (bytes.length <= bytesMax) return text;
  let end = bytesMax;
  while ((bytes[end]! & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end);
}
