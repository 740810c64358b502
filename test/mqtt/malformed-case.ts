import type { Draft, Level } from './malformed-drafts.js';
import type { Verdict } from './malformed-standard.js';

/** One packet of which one thing is wrong, and what the standard has to say about it. */
export interface Case {
  /** A fact, without the level: "… is refused". */
  name: string;
  /** Of the connection; of a first packet, the one that it speaks. */
  level: Level;
  /** As the first packet, or after CONNACK. */
  when: 'first' | 'connected';
  bytes: Buffer;
  /** One of them: several where several things are wrong, as any may be found first. */
  verdicts: readonly Verdict[];
  /** Level of the answer to a first packet; null: unknown. */
  answerIn: Level | null;
}

export function whenConnected(name: string, level: Level, bytes: Buffer, ...verdicts: Verdict[]): Case {
  return { name, level, when: 'connected', bytes, verdicts, answerIn: level };
}

export function asFirst(
  name: string,
  level: Level,
  bytes: Buffer,
  verdict: Verdict | readonly Verdict[],
  answerIn: Level | null = level,
): Case {
  return { name, level, when: 'first', bytes, verdicts: [verdict].flat(), answerIn };
}

/** A spoiled draft, sent when its packet is due. */
export function spoiled(name: string, { type, level }: Draft, bytes: Buffer, ...verdicts: Verdict[]): Case {
  const full = `${type.toUpperCase()} ${name}`;
  return type === 'connect' ? asFirst(full, level, bytes, verdicts) : whenConnected(full, level, bytes, ...verdicts);
}
