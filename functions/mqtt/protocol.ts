import type { Cursor } from './cursor.js';
import { LEVELS } from './levels.js';
import type { Level } from './packets.js';
import { REASON, type Refusal, refusal } from './reason-codes.js';

/** `level`: what the client speaks or, where it is refused, what to answer in; null: what it speaks is unknown. */
export type Protocol = { level: Level; refusal: null } | { level: Level | null; refusal: Refusal };

/** Names that a CONNECT may begin with, and the levels that go with them. */
const NAMES: Readonly<Record<string, readonly Level[]>> = {
  [LEVELS[3].protocolName]: [3],
  [LEVELS[5].protocolName]: [4, 5],
};

/** Marks a bridge; an extension of some brokers that no edition of the standard has. */
const BRIDGE_BIT = 0x80;

/** Reads Protocol Name and Protocol Level, which all else in CONNECT depends on (sections 3.1.2.1 and 3.1.2.2). */
export function readProtocol(cursor: Cursor): Protocol {
  const name = cursor.string();
  if (cursor.refusal !== null) return { level: null, refusal: cursor.refusal };
  const levels = Object.hasOwn(NAMES, name) ? NAMES[name] : undefined;
  if (levels === undefined)
    return { level: null, refusal: unsupported('MQTT-3.1.2-1', 'the Protocol Name is unknown') };
  const byte = cursor.byte();
  if (cursor.refusal !== null) return { level: null, refusal: cursor.refusal };
  const level = levels.find((known) => known === byte);
  if (level !== undefined) return { level, refusal: null };
  return { level: levelOfAnswer(levels, byte), refusal: unsupported('MQTT-3.1.2-2', `no protocol level ${byte}`) };
}

/** A bridge that hears "unacceptable protocol version" in its own level comes again without the mark. */
function levelOfAnswer(levels: readonly Level[], byte: number): Level {
  const asked = byte & ~BRIDGE_BIT;
  return levels.findLast((level) => level <= asked) ?? levels[0]!;
}

function unsupported(clause: string, text: string): Refusal {
  return refusal(REASON.unsupportedProtocolVersion, clause, text);
}
