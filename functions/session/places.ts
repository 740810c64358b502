import type { Position } from '../ports/log.js';
import type { OutboundKey } from '../ports/store.js';

/**
 * Keys of a session's outbound rows, in the order in which a resumed session reads them:
 *
 * | source | position | row |
 * | --- | --- | --- |
 * | `!f` | order of sending | in flight: resent first, in the order they were sent [MQTT-4.6.0-1] |
 * | `!r<sequence>` | the retained message's | queued copy of a retained message, of that SUBSCRIBE |
 * | `!h<sequence>` | partition and position | queued publication of the history that this SUBSCRIBE asked for |
 * | a partition | the log's, and after a `~` the shared subscription, with a `+` where another session had it | queued publication |
 *
 * A partition's name begins with a letter or a digit, which sort above `!`.
 */
export const IN_FLIGHT = '!f';

const ORDER_DIGITS = 15;

/** No log's position holds it. */
const SHARE_MARK = '~';
/** Nor does the name of a shared subscription within its session. */
const HANDED_ON_MARK = '+';

export function inFlightKey(order: number): OutboundKey {
  return { source: IN_FLIGHT, position: String(order).padStart(ORDER_DIGITS, '0') };
}

export function orderOf(key: OutboundKey): number {
  return Number(key.position);
}

export function retainedSource(sequence: number): string {
  return `!r${String(sequence).padStart(ORDER_DIGITS, '0')}`;
}

export function historySource(sequence: number): string {
  return `!h${String(sequence).padStart(ORDER_DIGITS, '0')}`;
}

export function historyPlace(partition: string, position: Position): Position {
  return `${partition}@${position}`;
}

/**
 * The place of what a shared subscription brings: a session may get the same publication through its other subscriptions,
 * each copy by itself (section 4.8.2).
 */
export function sharePosition(position: Position, shareId: string): Position {
  return `${position}${SHARE_MARK}${shareId}`;
}

/** The same, of what another session had in the store, and after a crash may still have there. */
export function handedOnPosition(position: Position, shareId: string): Position {
  return `${sharePosition(position, shareId)}${HANDED_ON_MARK}`;
}

export function isHandedOn(key: OutboundKey): boolean {
  return key.position.endsWith(HANDED_ON_MARK);
}

/** Where in the log the publication stands. */
export function logPosition(position: Position): Position {
  const end = position.indexOf(SHARE_MARK);
  return end < 0 ? position : position.slice(0, end);
}

/** Whether the place is one of the log's, so that the shard's checkpoint waits for it and replay may bring it again. */
export function isInLog(key: OutboundKey): boolean {
  return !key.source.startsWith('!');
}

/** One text for a key, for look-ups. */
export function placeText(key: OutboundKey): string {
  return `${key.source} ${key.position}`;
}
