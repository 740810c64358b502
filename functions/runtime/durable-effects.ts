import type { Effect } from '../connection/effects.js';
import type { Input } from '../connection/inputs.js';
import type { ConnectionState } from '../connection/state.js';
import type { Clock } from '../ports/clock.js';
import { PortError, portErrorCode } from '../ports/errors.js';
import type { InboundRow, InboundStore } from '../ports/store.js';
import type { Telemetry } from '../ports/telemetry.js';
import type { Presence } from './presence.js';
import { BEGIN_MAX_MS, type Publisher } from './publisher.js';

export type DurableEffect = Extract<
  Effect,
  { type: 'append' | 'begin-inbound' | 'resolve-append' | 'end-inbound' | 'drop-inbound' }
>;

interface Parts {
  clock: Clock;
  publisher: Publisher;
  inbound: InboundStore;
  presence: Presence;
  /** This edge process. */
  self: () => string;
}

/** How much earlier than what is looked for something may have been begun that is looked for along with it. */
const ALIKE_MS = 60_000;

/** Connections that an append came too late of: they end with it, and what follows must not be in the log before it. */
const tooLate = new WeakSet<ConnectionState>();

/** Does what a publication needs of log and store. Resolves, never rejects, with the input that says what became of it. */
export function perform(
  effect: DurableEffect,
  state: ConnectionState,
  parts: Parts & { telemetry: Telemetry },
): Promise<Input> {
  // By far the most frequent, and what is smaller waits cheaper.
  if (effect.type === 'append') return append(effect, state, parts);
  return stored(effect, state, parts).catch((error: unknown) => {
    sayFailed(effect, state, parts, error);
    return { type: 'inbound-failed', code: portErrorCode(error) };
  });
}

function append(
  effect: Extract<DurableEffect, { type: 'append' }>,
  state: ConnectionState,
  parts: Parts & { telemetry: Telemetry },
): Promise<Input> {
  const { qos, reference, bytes } = effect;
  const { clock, publisher } = parts;
  // An exchange that others see in the store, and may have taken over since.
  const isTaken = qos === 2 && publisher.lateMaxMs > 0;
  const isLate = () => clock.now() > (effect.begunAtMs ?? effect.publication.publishedAtMs) + BEGIN_MAX_MS;
  if (isTaken && (tooLate.has(state) || isLate())) {
    tooLate.add(state);
    parts.telemetry.count('appends-begun-too-late');
    return Promise.resolve({ type: 'append-failed', qos, reference, bytes, code: 'unavailable' });
  }
  return parts.publisher.publish(effect.publication).then(
    (receipt) => {
      parts.publisher.acknowledged(receipt);
      return { type: 'appended', qos, reference, bytes };
    },
    (error: unknown) => {
      sayFailed(effect, state, parts, error);
      return { type: 'append-failed', qos, reference, bytes, code: portErrorCode(error) };
    },
  );
}

function sayFailed(
  { type }: DurableEffect,
  { clientId }: ConnectionState,
  { telemetry }: { telemetry: Telemetry },
  error: unknown,
): void {
  telemetry.log('debug', 'effect-failed', { what: type, client: clientId, error: String(error) });
}

async function stored(
  effect: Exclude<DurableEffect, { type: 'append' }>,
  { clientId, generation, connectionNumber }: ConnectionState,
  { clock, publisher, inbound, presence, self }: Parts,
): Promise<Input> {
  switch (effect.type) {
    case 'begin-inbound': {
      const { reference, packetId, token, begunAtMs } = effect;
      const row = { token, begunAtMs, edge: self() };
      const existing = await inbound.begin(clientId, generation, packetId, row);
      // Where the client has gone elsewhere, the exchange may be over there, and its row with it: from now on whoever has it finds this one.
      const isShared = publisher.lateMaxMs > 0;
      if (existing === undefined && isShared && !(await presence.holds(clientId, connectionNumber))) {
        await inbound.forget(clientId, generation, packetId, row);
        throw new PortError('gone', 'another connection has the client by now');
      }
      return { type: 'inbound-begun', reference, existing: existing ?? null };
    }
    case 'resolve-append': {
      const { reference, publication, token, sinceMs, lastMs, edge } = effect;
      // What was begun about then: of a client that has lost its own state there may be rows of days ago.
      const isAlike = (row: InboundRow) => row.edge !== self() && row.begunAtMs > sinceMs - ALIKE_MS;
      const alike = async () => (await inbound.open(clientId, generation).catch(() => [])).filter(isAlike);
      const doubtful = { sinceMs, lastMs, isOwn: edge === self(), alike };
      const found = await publisher.wasPublished(publication, token, doubtful);
      const { publishedAtMs } = publication;
      const isInTime = found || publisher.lateMaxMs === 0 || clock.now() < publishedAtMs + BEGIN_MAX_MS / 2;
      if (isInTime) return { type: 'append-resolved', reference, found };
      // Looking for it took its time: the row says anew that it is being appended, unless somebody else has it by now.
      const begunAtMs = clock.now();
      const row = await inbound.begin(clientId, generation, effect.packetId, { token, begunAtMs, edge: self() });
      if (row?.token === token && row.retriedAtMs === publishedAtMs) {
        return { type: 'append-resolved', reference, found, begunAtMs };
      }
      throw new PortError('unavailable', 'another process appends it');
    }
    case 'end-inbound': {
      const { packetId } = effect;
      return { type: 'inbound-ended', packetId, existed: await inbound.end(clientId, generation, packetId) };
    }
    case 'drop-inbound': {
      await inbound.end(clientId, generation, effect.packetId);
      return { type: 'inbound-dropped', reference: effect.reference };
    }
  }
}
