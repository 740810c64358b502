import type { Properties, UserProperty } from './packets.js';
import { PROPERTY_BY_NAME, type PropertyType } from './properties.js';

type Value = number | string | Uint8Array | UserProperty;

interface Item {
  id: number;
  type: PropertyType;
  value: Value;
}

/** A property block as it will be written. */
export interface PropertyBlock {
  items: readonly Item[];
  /** Without the Property Length in front. */
  contentBytes: number;
  /** With it. */
  bytes: number;
}

const EMPTY: PropertyBlock = { items: [], contentBytes: 0, bytes: 1 };

/** Measures the properties, in the order in which they stand; user properties and other lists keep theirs [MQTT-3.3.2-18]. */
export function measureProperties(properties: Properties | undefined): PropertyBlock {
  if (properties === undefined) return EMPTY;
  const items: Item[] = [];
  let contentBytes = 0;
  for (const name of Object.keys(properties) as (keyof Properties)[]) {
    const held = properties[name];
    if (held === undefined) continue;
    const { id, type, repeats } = PROPERTY_BY_NAME[name];
    for (const value of repeats === 'never' ? [held as Value] : (held as Value[])) {
      items.push({ id, type, value });
      contentBytes += 1 + valueBytes(type, value);
    }
  }
  return { items, contentBytes, bytes: varintBytes(contentBytes) + contentBytes };
}

/** Writes a measured block; returns where it ends. */
export function writeProperties(block: PropertyBlock, target: Buffer, start: number): number {
  let at = writeVarint(block.contentBytes, target, start);
  for (const { id, type, value } of block.items) {
    target[at] = id;
    at = writeValue(type, value, target, at + 1);
  }
  return at;
}

/** How many bytes a Variable Byte Integer takes (section 1.5.5). */
export function varintBytes(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : 4;
}

/** Writes a Variable Byte Integer; returns where it ends. */
export function writeVarint(value: number, target: Buffer, start: number): number {
  let at = start;
  let left = value;
  while (left >= 0x80) {
    target[at] = (left & 0x7f) | 0x80;
    left >>>= 7;
    at += 1;
  }
  target[at] = left;
  return at + 1;
}

/** Writes a UTF-8 Encoded String with its length (section 1.5.4); returns where it ends. */
export function writeString(text: string, target: Buffer, start: number): number {
  const length = target.write(text, start + 2, 'utf8');
  target.writeUInt16BE(length, start);
  return start + 2 + length;
}

function valueBytes(type: PropertyType, value: Value): number {
  switch (type) {
    case 'byte':
      return 1;
    case 'uint16':
      return 2;
    case 'uint32':
      return 4;
    case 'varint':
      return varintBytes(value as number);
    case 'string':
    case 'topicName':
      return 2 + Buffer.byteLength(value as string);
    case 'binary':
      return 2 + (value as Uint8Array).length;
    case 'pair':
      return 4 + Buffer.byteLength((value as UserProperty)[0]) + Buffer.byteLength((value as UserProperty)[1]);
  }
}

function writeValue(type: PropertyType, value: Value, target: Buffer, at: number): number {
  switch (type) {
    case 'byte':
      return target.writeUInt8(value as number, at);
    case 'uint16':
      return target.writeUInt16BE(value as number, at);
    case 'uint32':
      return target.writeUInt32BE(value as number, at);
    case 'varint':
      return writeVarint(value as number, target, at);
    case 'string':
    case 'topicName':
      return writeString(value as string, target, at);
    case 'binary': {
      const bytes = value as Uint8Array;
      target.writeUInt16BE(bytes.length, at);
      target.set(bytes, at + 2);
      return at + 2 + bytes.length;
    }
    case 'pair': {
      const [name, text] = value as UserProperty;
      return writeString(text, target, writeString(name, target, at));
    }
  }
}
