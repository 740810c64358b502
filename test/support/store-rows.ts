import type { OutboundRow, PresenceRow, RetainedRow, SessionRow } from '../../functions/ports/store.js';
import type { Publication } from '../../functions/topics/publication.js';

/** Rows for tests of stores, with what a test says of them. */
export function publication(topic: string, more: Partial<Publication> = {}): Publication {
  const payload = Uint8Array.from({ length: 256 }, (_, i) => i);
  return { topic, payload, qos: 1, retain: false, publisher: '', publishedAtMs: 1_790_000_000_123, ...more };
}

export function presence(clientId: string, more: Partial<PresenceRow> = {}): PresenceRow {
  const times = { disconnectedAtMs: null, sessionExpiryS: 0xffff_ffff };
  return { clientId, connectionNumber: 1, generation: 1, edge: 'e', ...times, will: null, leftWills: [], ...more };
}

export function session(clientId: string, epoch: number, more: Partial<SessionRow> = {}): SessionRow {
  return { clientId, generation: 1, epoch, subscriptions: [], retainedDue: [], sequence: 0, ...more };
}

export function outbound(source: string, position: string, more: Partial<OutboundRow> = {}): OutboundRow {
  const origin = { source, position };
  return {
    ...origin,
    origin,
    state: 'queued',
    packetId: 0,
    qos: 1,
    retain: false,
    publication: publication('t'),
    ...more,
  };
}

export function retained(topic: string, more: Partial<RetainedRow> = {}): RetainedRow {
  return {
    topic,
    layout: 1,
    partition: 'p',
    position: '1',
    publication: publication(topic, { retain: true }),
    ...more,
  };
}

/** Bytes of whatever class as plain arrays, for comparison. */
export function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('hex') };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each)]));
}
