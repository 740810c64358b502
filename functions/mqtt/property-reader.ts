import type { Cursor } from './cursor.js';
import type { Properties, UserProperty } from './packets.js';
import { type Carrier, PROPERTY_BY_ID, type PropertyRule } from './properties.js';
import { REASON, type Refusal, refusal } from './reason-codes.js';
import { judgeResponseTopic } from './rules.js';

/** While they are read, properties are whatever their rules say. */
type Collected = Record<string, unknown>;

/**
 * Reads a Property Length and the properties of a client's packet (section 2.2.2). Returns undefined where there are none;
 * what is wrong with them is left in the cursor.
 */
export function readProperties(cursor: Cursor, carrier: Carrier): Properties | undefined {
  const length = cursor.varint();
  if (length === 0) return undefined;
  if (cursor.at + length > cursor.end) {
    cursor.refuse(REASON.malformedPacket, 'section 2.2.2.1', 'the properties reach beyond the end of the packet');
    return undefined;
  }
  const packetEnd = cursor.end;
  cursor.end = cursor.at + length;
  const properties: Collected = {};
  while (cursor.at < cursor.end) readProperty(cursor, carrier, properties);
  if (cursor.refusal === null) cursor.end = packetEnd;
  return properties as Properties;
}

function readProperty(cursor: Cursor, carrier: Carrier, properties: Collected): void {
  const id = cursor.varint();
  const rule = PROPERTY_BY_ID[id];
  const section = rule?.fromClient[carrier];
  if (rule === undefined || section === undefined) {
    cursor.fail(misplaced(id, carrier, rule));
  } else if (rule.repeats !== 'always' && properties[rule.name] !== undefined) {
    cursor.refuse(REASON.protocolError, `section ${section}`, `${rule.name} stands there twice`);
  } else {
    const value = readValue(cursor, rule, section);
    if (rule.repeats === 'never') properties[rule.name] = value;
    else append(properties, rule.name, value);
  }
}

function append(properties: Collected, name: string, value: unknown): void {
  const list = properties[name] as unknown[] | undefined;
  if (list === undefined) properties[name] = [value];
  else list.push(value);
}

function misplaced(id: number, carrier: Carrier, rule: PropertyRule | undefined): Refusal {
  if (rule === undefined) return refusal(REASON.malformedPacket, 'section 2.2.2.2', `no property is numbered ${id}`);
  if (rule.name === 'subscriptionIdentifiers' && carrier === 'publish') {
    return refusal(REASON.protocolError, 'MQTT-3.3.4-6', 'a client sends a Subscription Identifier in PUBLISH');
  }
  return refusal(REASON.malformedPacket, 'section 2.2.2.2', `${rule.name} does not belong in ${carrier}`);
}

function readValue(cursor: Cursor, rule: PropertyRule, section: string): number | string | Uint8Array | UserProperty {
  switch (rule.type) {
    case 'byte':
      return inRange(cursor, cursor.byte(), rule, section);
    case 'uint16':
      return inRange(cursor, cursor.uint16(), rule, section);
    case 'uint32':
      return inRange(cursor, cursor.uint32(), rule, section);
    case 'varint':
      return inRange(cursor, cursor.varint(), rule, section);
    case 'string':
      return cursor.string();
    case 'topicName':
      return topicName(cursor);
    case 'binary': {
      const { start, end } = cursor.binary();
      return cursor.bytes.subarray(start, end);
    }
    case 'pair':
      return [cursor.string(), cursor.string()];
  }
}

function inRange(cursor: Cursor, value: number, rule: PropertyRule, section: string): number {
  if (cursor.refusal !== null || rule.range === undefined) return value;
  if (value >= rule.range[0] && value <= rule.range[1]) return value;
  const { reasonCode, clause } = rule.outOfRange ?? { reasonCode: REASON.protocolError, clause: `section ${section}` };
  cursor.refuse(reasonCode, clause, `${rule.name} may not be ${value}`);
  return value;
}

/** The only property of this type is the Response Topic. */
function topicName(cursor: Cursor): string {
  const topic = cursor.string();
  cursor.fail(judgeResponseTopic(topic));
  return topic;
}
