import type { SubscriptionOptions } from '../../functions/mqtt/packets.js';
import type { WaitingWill } from '../../functions/ports/store.js';
import type { Publication } from '../../functions/topics/publication.js';

/** How transcripts write things: short, one line, defaults left out. */

/** Joins what there is to say. */
export function line(...parts: readonly (string | false | null | undefined)[]): string {
  return parts.filter((part) => part !== false && part !== null && part !== undefined && part !== '').join(' ');
}

export function hex(reasonCode: number): string {
  return `0x${reasonCode.toString(16).padStart(2, '0').toUpperCase()}`;
}

/** The reason code of an answer, where it is not success. */
export function unlessSuccess(reasonCode: number): string {
  return reasonCode === 0 ? '' : hex(reasonCode);
}

export function quote(payload: Uint8Array): string {
  return `"${Buffer.from(payload).toString()}"`;
}

export function kebab(name: string): string {
  return name.replace(/[A-Z]+/g, (capitals) => `-${capitals.toLowerCase()}`);
}

/** Topic, payload and what else is told to whoever gets it; QoS and retain are the caller's. */
export function message(publication: Pick<Publication, 'topic' | 'payload' | 'properties'>): string {
  const properties = Object.entries(publication.properties ?? {}).map(([name, value]) => `${kebab(name)}=${value}`);
  return line(publication.topic, quote(publication.payload), ...properties);
}

export function will({ connectionNumber, publication, delayS }: WaitingWill): string {
  const { qos, retain } = publication;
  return line(
    `will of ${connectionNumber}:`,
    message(publication),
    `qos${qos}`,
    retain && 'retain',
    delayS > 0 && `delay=${delayS}`,
  );
}

export function subscription(filter: string, options: SubscriptionOptions): string {
  return line(
    filter,
    `qos${options.qos}`,
    options.noLocal && 'no-local',
    options.retainAsPublished && 'retain-as-published',
    options.retainHandling !== 0 && `retain-handling=${options.retainHandling}`,
  );
}
