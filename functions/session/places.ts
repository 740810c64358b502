import type { OutboundKey } from '../ports/store.js';

/**
 * Keys of a session's outbound rows, in the order in which a resumed session reads them:
 *
 * | source | position | row |
 * | --- | --- | --- |
 * | `!f` | order of sending | in flight: resent first, in the order they were sent [MQTT-4.6.0-1] |
 * | `!r<sequence>` | the retained message's | queued copy of a retained message, of that SUBSCRIBE |
 * | a partition | the log's | queued publication |
 *
 * A partition's name begins with a letter or a digit, which sort above `!`.
 */
export const IN_FLIGHT = '!f';

const ORDER_DIGITS = 15;

export function inFlightKey(order: number): OutboundKey {
  return { source: IN_FLIGHT, position: String(order).padStart(ORDER_DIGITS, '0') };
}

export function orderOf(key: OutboundKey): number {
  return Number(key.position);
}

export function retainedSource(sequence: number): string {
  return `!r${String(sequence).padStart(ORDER_DIGITS, '0')}`;
}

/** Whether the place is one of the log's, so that the shard's checkpoint waits for it and replay may bring it again. */
export function isInLog(key: OutboundKey): boolean {
  return !key.source.startsWith('!');
}

/** One text for a key, for look-ups. */
export function placeText(key: OutboundKey): string {
  return `${key.source} ${key.position}`;
}
