import type { Checked } from './checked.js';
import type { Cursor, Span } from './cursor.js';
import { FIELDS, type Field, firstByteRefusal, LAYOUT_BY_CODE, type Layout } from './layouts.js';
import { LEVELS } from './levels.js';
import { FILTERS_MAX } from './limits.js';
import type { Level } from './packets.js';
import type { Carrier } from './properties.js';
import { readProperties } from './property-reader.js';
import { REASON, refusal } from './reason-codes.js';
import { judgeConnectFlags, judgeReasonCode, judgeSubscriptionOptions, judgeTopicName, judgeWhole } from './rules.js';

const SHARED_PREFIX = '$share/';
const PACKET_ID_0 = refusal(REASON.protocolError, 'MQTT-2.2.1-3', 'the Packet Identifier is 0');
const TOO_MANY_FILTERS = refusal(
  REASON.quotaExceeded,
  'section 4.13.2',
  `more than ${FILTERS_MAX} filters in one packet`,
);
const NOWHERE: Span = { start: 0, end: 0 };

/**
 * Reads a client's packet field by field, as `layouts.ts` has it for that level, and refuses what the standard refuses:
 * the cursor then holds the reason. The cursor is over the whole packet and stands where its fixed header ends.
 */
export function check(cursor: Cursor, level: Level): Checked {
  const first = cursor.bytes[0]!;
  const checked: Checked = {
    layout: LAYOUT_BY_CODE[first >> 4]!,
    flags: first & 0x0f,
    packetId: 0,
    reasonCode: REASON.success,
    topic: '',
    payloadAt: 0,
    connectFlags: 0,
    connectFlagsAt: 0,
    missing: 0,
    filter: NOWHERE,
    properties: undefined,
    willProperties: undefined,
  };
  cursor.fail(firstByteRefusal(first, level));
  if (cursor.refusal !== null) return checked;
  for (const field of FIELDS[level][checked.layout.code]!) {
    if (field.ifFlags !== undefined && !isFlagged(field.ifFlags, checked)) continue;
    if (field.optional !== undefined && cursor.at === cursor.end && mayLeaveOut(field, level, checked)) continue;
    checkField(cursor, field, level, checked);
    if (cursor.refusal !== null) return checked;
  }
  if (checked.layout.items !== undefined) checkItems(cursor, checked.layout.items, level, checked);
  if (cursor.at < cursor.end) {
    cursor.refuse(REASON.malformedPacket, 'section 2.1.4', 'the packet goes on after its last field');
  }
  if (cursor.refusal === null) cursor.fail(judgeWhole(checked, level));
  return checked;
}

function isFlagged(mask: number, checked: Checked): boolean {
  return ((checked.layout.name === 'connect' ? checked.connectFlags : checked.flags) & mask) !== 0;
}

function mayLeaveOut(field: Field, level: Level, checked: Checked): boolean {
  if (field.optional === 'in 3.1' && !LEVELS[level].credentialsMayBeMissing) return false;
  checked.missing |= field.ifFlags ?? 0;
  return true;
}

function checkField(cursor: Cursor, field: Field, level: Level, checked: Checked): void {
  switch (field.type) {
    case 'byte':
      cursor.byte();
      return;
    case 'uint16':
      cursor.uint16();
      return;
    case 'packetId':
      checked.packetId = cursor.uint16();
      if (checked.packetId === 0) cursor.fail(PACKET_ID_0);
      return;
    case 'binary':
      cursor.binary();
      return;
    case 'string':
      cursor.stringSpan();
      return;
    case 'topicFilter':
      checked.filter = cursor.stringSpan();
      return;
    case 'topicName':
      checked.topic = cursor.string();
      cursor.fail(judgeTopicName(checked.topic));
      return;
    case 'connectFlags':
      checked.connectFlagsAt = cursor.at;
      checked.connectFlags = cursor.byte();
      cursor.fail(judgeConnectFlags(checked.connectFlags, level));
      return;
    case 'reasonCode':
      checked.reasonCode = cursor.byte();
      cursor.fail(judgeReasonCode(checked));
      return;
    case 'properties':
      if (field.carrier === 'will') checked.willProperties = readProperties(cursor, 'will');
      else checked.properties = readProperties(cursor, checked.layout.name as Carrier);
      return;
    case 'rest':
      checked.payloadAt = cursor.at;
      cursor.at = cursor.end;
      return;
    case 'subscriptionOptions':
      cursor.fail(judgeSubscriptionOptions(cursor.byte(), isShared(cursor.bytes, checked.filter), level));
      return;
  }
}

function checkItems(cursor: Cursor, items: NonNullable<Layout['items']>, level: Level, checked: Checked): void {
  if (cursor.at === cursor.end) cursor.refuse(REASON.protocolError, items.clause, 'the packet asks for nothing');
  for (let count = 0; cursor.at < cursor.end; count += 1) {
    if (count === FILTERS_MAX) cursor.fail(TOO_MANY_FILTERS);
    for (const field of items.fields) checkField(cursor, field, level, checked);
  }
}

function isShared(bytes: Buffer, filter: Span): boolean {
  const prefixEnd = filter.start + SHARED_PREFIX.length;
  return prefixEnd <= filter.end && bytes.toString('latin1', filter.start, prefixEnd) === SHARED_PREFIX;
}
