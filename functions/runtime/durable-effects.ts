import type { Effect } from '../connection/effects.js';
import type { Input } from '../connection/inputs.js';
import type { ConnectionState } from '../connection/state.js';
import { portErrorCode } from '../ports/errors.js';
import type { InboundStore } from '../ports/store.js';
import type { Telemetry } from '../ports/telemetry.js';
import type { Publisher } from './publisher.js';

export type DurableEffect = Extract<
  Effect,
  { type: 'append' | 'begin-inbound' | 'resolve-append' | 'end-inbound' | 'drop-inbound' }
>;

interface Parts {
  publisher: Publisher;
  inbound: InboundStore;
  /** This edge process. */
  self: string;
}

/** Does what a publication needs of log and store. Resolves, never rejects, with the input that says what became of it. */
export async function perform(
  effect: DurableEffect,
  state: ConnectionState,
  parts: Parts & { telemetry: Telemetry },
): Promise<Input> {
  try {
    // By far the most frequent, and what is smaller waits cheaper.
    if (effect.type !== 'append') return await stored(effect, state, parts);
    const { qos, reference, bytes } = effect;
    parts.publisher.acknowledged(await parts.publisher.publish(effect.publication));
    return { type: 'appended', qos, reference, bytes };
  } catch (error) {
    const code = portErrorCode(error);
    parts.telemetry.log('debug', 'effect-failed', { what: effect.type, client: state.clientId, error: String(error) });
    if (effect.type !== 'append') return { type: 'inbound-failed', code };
    const { qos, reference, bytes } = effect;
    return { type: 'append-failed', qos, reference, bytes, code };
  }
}

async function stored(
  effect: Exclude<DurableEffect, { type: 'append' }>,
  { clientId, generation }: ConnectionState,
  { publisher, inbound, self }: Parts,
): Promise<Input> {
  switch (effect.type) {
    case 'begin-inbound': {
      const { reference, packetId, token, begunAtMs } = effect;
      const existing = await inbound.begin(clientId, generation, packetId, { token, begunAtMs, edge: self });
      return { type: 'inbound-begun', reference, existing: existing ?? null };
    }
    case 'resolve-append': {
      const { reference, publication, token, sinceMs, edge } = effect;
      const found = await publisher.wasPublished(publication, token, { sinceMs, isOwn: edge === self });
      return { type: 'append-resolved', reference, found };
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
